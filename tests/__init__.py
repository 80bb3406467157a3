"""Behaviour of every room, shown on real servers, SDKs and databases over loopback."""
