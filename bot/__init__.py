"""agent-usage-bot: answers /agent-usage in Slack and tells a channel when a Cartesia agent budget breaks."""

__version__ = "0.1.0"
