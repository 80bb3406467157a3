"""ROOM facts: the only room that knows SQL, with one schema on SQLite and PostgreSQL."""
