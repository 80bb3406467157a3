"""The bot on Discord: one client that listens, and what it writes there."""
