"""What Slack accepts as the metadata of a message (message metadata page)."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.workspace import Json, SlackRefusal

NAME = re.compile(r"[a-z][a-z0-9_]*")
SCALARS = (str, int, float, bool)


def metadata_argument(args: Arguments) -> Json | None:
    """The `metadata` argument; None where it is absent, `{}` where it asks for removal."""
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return {} if metadata == {} else None
    if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
        raise SlackRefusal("invalid_metadata_format")
    event_type, payload = metadata["event_type"], metadata["event_payload"]
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict):
        raise SlackRefusal("invalid_metadata_format")
    if not all(NAME.fullmatch(name) and _is_flat(value) for name, value in payload.items()):
        raise SlackRefusal("invalid_metadata_schema")
    return metadata


def _is_flat(value: Any) -> bool:
    """A scalar, an object of scalars, or an array of such objects."""
    if isinstance(value, list):
        return all(isinstance(each, dict) and _is_flat(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(each, SCALARS) for each in value.values())
    return isinstance(value, SCALARS)
