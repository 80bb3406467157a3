"""Discord: the loopback counterparty, and our adapter talking to it over the wire."""
