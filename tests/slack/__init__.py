"""Slack: the counterparty, and the adapter against it."""
