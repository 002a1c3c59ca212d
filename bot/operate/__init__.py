"""What operators and their monitors are told: how the bot is, and the HTTP endpoints."""
