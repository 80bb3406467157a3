"""Slack: one adapter over Socket Mode or signed HTTP."""
