"""What must come out of the turns that money takes, over a whole till and the fake Stripe."""
