"""The Slack app manifest (https://docs.slack.dev/reference/app-manifest) for both transports, and its creation link."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote, urlsplit

SCOPES = {
    "commands": "the slash command",
    "chat:write": "post alerts",
    "users:read": "tell your own people from guests and other organisations",
    "chat:write.public": "post to public channels without an invitation",
    "channels:read": "find public channels by name",
    "groups:read": "find private channels by name",
    "channels:history": "see whether an unconfirmed alert arrived",
    "groups:history": "the same in private channels",
    "channels:join": "join a public channel to see that",
}


def public_address(address: str) -> str:
    """The address without its path. Raises ValueError, with what to write, where Slack could not call it."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    if parts.scheme != "https" or not parts.hostname or "." not in parts.hostname:
        raise ValueError(f"{address!r} is no address Slack can call: write --http https://bot.example.com")
    return f"https://{parts.netloc}"


def manifest(address: str | None, usage_hint: str) -> dict[str, Any]:
    """For Socket Mode, or for HTTP mode where the bot's public address is given. `usage_hint` is what Slack shows while
    somebody types the command."""
    url = f"{address}/slack/events" if address else None
    command: dict[str, Any] = {
        "command": "/agent-usage",
        "description": "What the Cartesia voice agents cost",
        "usage_hint": usage_hint,
        "should_escape": False,
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    if url:
        command["url"] = interactivity["request_url"] = url
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Agent Usage",
            "description": "Answers /agent-usage and tells a channel when a Cartesia budget breaks",
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "agent-usage", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }


def manifest_yaml(address: str | None, usage_hint: str) -> str:
    """The manifest as it is pasted into api.slack.com/apps."""
    from ruamel.yaml import YAML

    out = io.StringIO()
    writer = YAML()
    writer.width = 1000
    writer.dump(manifest(address, usage_hint), out)
    return out.getvalue()


def creation_link(address: str | None, usage_hint: str) -> str:
    """One click creates the app with this manifest."""
    return f"https://api.slack.com/apps?new_app=1&manifest_yaml={quote(manifest_yaml(address, usage_hint), safe='')}"
