"""Counterparties that cannot run here, faked over their real wire protocols."""
