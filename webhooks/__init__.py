"""The room of the web: webhooks, pages, the playground and health."""
