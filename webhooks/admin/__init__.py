"""The dashboard: who is let in, and its pages."""
