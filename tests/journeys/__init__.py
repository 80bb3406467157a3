"""Whole ways of members through `main.py` as it is, between the platforms and a Stripe on loopback."""
