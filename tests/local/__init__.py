"""The playground's side of the chat."""
