"""A simulated Slack workspace: Web API, Socket Mode, signed HTTP requests, and what people do in it."""

from bot.sandbox.slack.interactions import Answer, Interaction
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import Channel, Message, User, UserGroup, View

__all__ = ["Answer", "Channel", "Interaction", "Message", "SimulatedSlack", "User", "UserGroup", "View"]
