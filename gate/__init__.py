"""Puts the rooms together, for each command as far as it needs them: the only folder that sees every room."""
