"""Behaviour of the providers room, with the vendors' own SDKs over loopback."""
