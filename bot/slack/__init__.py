"""Outbound Slack: blocks (pure), the sender, and the one table that says what a failure means."""
