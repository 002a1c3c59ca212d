"""Reasons: the names of why something is said, or nothing."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something is said, or nothing."""

    CROSSED = "CROSSED"
    RAISED = "RAISED"
    STEP = "STEP"
    FORECAST = "FORECAST"
    UNUSUAL = "UNUSUAL"
    REMINDER = "REMINDER"
    ESCALATED = "ESCALATED"
    CORRECTED = "CORRECTED"
    CLOSED = "CLOSED"
    BELOW = "BELOW"
    SAID = "SAID"
    SNOOZED = "SNOOZED"
    EXPECTED = "EXPECTED"
    TOO_LITTLE_DATA = "TOO_LITTLE_DATA"

    @property
    def speaks(self) -> bool:
        return self not in _SILENT

    @property
    def is_news(self) -> bool:
        """Whether the channel hears of it, not the thread alone."""
        return self in _NEWS


_NEWS = frozenset({Reason.CROSSED, Reason.RAISED, Reason.STEP, Reason.FORECAST, Reason.UNUSUAL})
_SILENT = frozenset({Reason.BELOW, Reason.SAID, Reason.SNOOZED, Reason.EXPECTED, Reason.TOO_LITTLE_DATA})
