"""The web server, over real HTTP and in a real browser."""
