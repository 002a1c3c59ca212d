"""What somebody does in Slack, as tests say it."""

from __future__ import annotations

from uuid import uuid4

from bot.model import Act


def anew(by: str) -> Act:
    """Something that nobody has done before."""
    return Act(by, f"1.2.{uuid4().hex}")


def clicked(ts: float, by: str = "U1") -> Act:
    """A click at this moment, in seconds after one of Slack's."""
    return Act(by, f"1.2.{by}{ts}", 1_763_800_000.123456 + ts)
