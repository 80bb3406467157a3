"""What operators do in chat; its words are English, as on the console."""
