"""Inbound Slack: acknowledge, parse, answer. What an answer is, is decided in bot.commands."""
