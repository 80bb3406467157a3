"""The playground's adapter: a chat of our own, kept in our database."""
