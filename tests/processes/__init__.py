"""Proof on whole processes of main.py."""
