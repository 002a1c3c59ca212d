"""The app manifest: what Slack's own limits allow, for both transports, and the link that creates the app."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from bot.commands.all import USAGE_HINT
from bot.slack.manifest import SCOPES, creation_link, manifest, manifest_yaml, public_address

ADDRESS = "https://bot.example.com"
BOTH = pytest.mark.parametrize("address", [None, ADDRESS], ids=["Socket Mode", "HTTP mode"])


@BOTH
def test_it_keeps_within_slacks_limits(address: str | None) -> None:
    made = manifest(address, USAGE_HINT)
    [command] = made["features"]["slash_commands"]
    assert 1 <= len(made["display_information"]["name"]) <= 35
    assert 1 <= len(made["display_information"]["description"]) <= 140
    assert re.fullmatch(r"#[0-9a-f]{6}", made["display_information"]["background_color"])
    assert re.fullmatch(r"[a-z0-9\-_.]{1,80}", made["features"]["bot_user"]["display_name"])
    assert re.fullmatch(r"/[a-z-]{1,31}", command["command"])
    assert len(command["description"]) <= 2000
    assert command["usage_hint"] == USAGE_HINT
    assert len(USAGE_HINT) <= 1000


@BOTH
def test_it_has_no_key_that_slack_does_not_know(address: str | None) -> None:
    made = manifest(address, USAGE_HINT)
    assert set(made) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert set(made["settings"]) == {
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }


@BOTH
def test_it_asks_for_what_is_required_and_recommended_and_for_nothing_else(address: str | None) -> None:
    assert manifest(address, USAGE_HINT)["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert set(SCOPES) == {
        *("commands", "chat:write", "users:read"),
        *("chat:write.public", "channels:read", "groups:read", "channels:history", "groups:history", "channels:join"),
    }


def test_in_socket_mode_it_names_no_address() -> None:
    made = manifest(None, USAGE_HINT)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "url" not in made["features"]["slash_commands"][0]
    assert made["settings"]["interactivity"] == {"is_enabled": True}


def test_in_http_mode_everything_arrives_at_one_address() -> None:
    made = manifest(ADDRESS, USAGE_HINT)
    events = "https://bot.example.com/slack/events"
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["features"]["slash_commands"][0]["url"] == events
    assert made["settings"]["interactivity"] == {"is_enabled": True, "request_url": events}


@BOTH
def test_its_yaml_says_the_same(address: str | None) -> None:
    assert YAML(typ="safe").load(manifest_yaml(address, USAGE_HINT)) == manifest(address, USAGE_HINT)


@BOTH
def test_the_link_carries_the_same_yaml(address: str | None) -> None:
    link = urlsplit(creation_link(address, USAGE_HINT))
    assert (link.scheme, link.netloc, link.path) == ("https", "api.slack.com", "/apps")
    query = parse_qs(link.query, strict_parsing=True)
    assert query == {"new_app": ["1"], "manifest_yaml": [manifest_yaml(address, USAGE_HINT)]}


@pytest.mark.parametrize(
    "address",
    ["https://bot.example.com", "https://bot.example.com/", "https://bot.example.com/slack/events", "bot.example.com"],
)
def test_an_address_is_taken_without_its_path(address: str) -> None:
    assert public_address(address) == ADDRESS


def test_a_port_is_kept() -> None:
    assert public_address("bot.example.com:8443") == "https://bot.example.com:8443"


@pytest.mark.parametrize(
    "address", ["http://bot.example.com", "https://localhost", "ftp://bot.example.com", "https://"]
)
def test_an_address_that_slack_cannot_call_is_refused_with_what_to_write(address: str) -> None:
    with pytest.raises(ValueError, match=r"write --http https://bot\.example\.com"):
        public_address(address)
