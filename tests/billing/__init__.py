"""The billing room against a Stripe of our own, through the real SDK."""
