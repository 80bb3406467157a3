"""The room of money: Stripe, or its simulation, behind one port."""
