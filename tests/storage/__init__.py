"""The storage room on a real SQLite and a real PostgreSQL."""
