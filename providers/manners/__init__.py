"""How each demo model talks: pure functions of the conversation, the same answer to the same words."""
