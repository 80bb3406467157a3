"""The room of people: Discord and Slack, and no other room speaks to them."""
