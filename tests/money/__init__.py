"""The path of money: real gateway, real route, real database, a Stripe on loopback."""
