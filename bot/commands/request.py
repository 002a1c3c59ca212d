"""What somebody asks for, as a value. Each command has a request of its own, in its file; those that more than one file
knows are here."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Period, Span


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for: of the class that one command answers."""


@dataclass(frozen=True, slots=True)
class Summary(Request):
    """The usage of some days, in one sum or by day, week or month."""

    span: Span
    by: Period | None = None

    @property
    def words(self) -> str:
        """The request as it can be typed again on any later day and mean the same days."""
        days = str(self.span.start) if self.span.days == 1 else f"{self.span.start}..{self.span.last}"
        return f"{days} by {self.by}" if self.by else days


@dataclass(frozen=True, slots=True)
class Help(Request):
    """What can be typed, and what was not understood (a sentence, possibly empty)."""

    problem: str = ""
