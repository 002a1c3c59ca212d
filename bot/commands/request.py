"""What was typed after `/agent-usage` or `agent-usage usage`, as a request. Any text gives one, never an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.commands.typed.user_input import Words, fold_of, typed_of, words_of
from bot.model import Period, Span
from bot.windows import Window, a_year_after, window_of


@dataclass(frozen=True, slots=True)
class Overview:
    """Today, the month to date, every budget, and a chart."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The usage of some days, in one sum or by day, week or month."""

    span: Span
    by: Period | None = None

    @property
    def words(self) -> str:
        """The request as it can be typed again on any later day and mean the same days."""
        days = str(self.span.start) if self.span.days == 1 else f"{self.span.start}..{self.span.last}"
        return f"{days} by {self.by}" if self.by else days


@dataclass(frozen=True, slots=True)
class Budgets:
    """Every budget's standing."""


@dataclass(frozen=True, slots=True)
class CheckNow:
    """One check now, with each decision."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where each open budget is heading."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """The last alerts, with their numbers."""


@dataclass(frozen=True, slots=True)
class Restatements:
    """How the figures of past days moved after those days."""


@dataclass(frozen=True, slots=True)
class Why:
    """The whole account of one alert, by its number or its rule's name as it was typed."""

    alert: str


@dataclass(frozen=True, slots=True)
class SnoozeAlert:
    """Quiet for an alert: its number or name and until when, as they were typed; only names tell where one ends."""

    words: str


@dataclass(frozen=True, slots=True)
class Status:
    """How the bot itself is."""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be typed, and what was not understood (a sentence, possibly empty)."""

    problem: str = ""


Request = Overview | Summary | Budgets | CheckNow | Outlook | Alerts | Restatements | Why | SnoozeAlert | Status | Help

COMMANDS: dict[str, tuple[Callable[[], Request], str]] = {
    "budgets": (Budgets, "where each budget stands"),
    "forecast": (Outlook, "where each open budget is heading"),
    "alerts": (Alerts, "the last alerts, with their numbers"),
    "restatements": (Restatements, "how the figures of past days moved after those days"),
    "check": (CheckNow, "check the budgets now, with the reason for each decision"),
    "status": (Status, "whether the bot sees and speaks, and what waits"),
    "help": (Help, "this list"),
}
WITH_WORDS: dict[str, tuple[str, str]] = {
    "why": ("why ALERT", "the account of one alert: its figures, its rule, each decision and each delivery"),
    "snooze": (
        "snooze NAME 1 hour",
        "quiet for that long; also `tomorrow`, `next level`, or an amount such as $75",
    ),
}
"""Commands that want more words: how they are typed, and what they do."""

PERIODS = {
    "today": "since midnight UTC",
    "yesterday": "the UTC day before",
    "week": "since Monday",
    "last week": "Monday to Sunday before",
    "month": "since the 1st",
    "last month": "the calendar month before",
    "7d": "the last seven days with today; any number, also as `last 7 days`",
    "2026-03-05": "one day",
    "2026-03": "one month",
    "2026-03-01..2026-03-15": "from one day to another",
}
_SHOWN = 60  # characters of a misunderstood text that are shown again, and looked at for a word that is near


def parse_request(text: str, today: date) -> Request:
    """The request in this text; `today` is the UTC day. What can't be understood becomes Help with the nearest word."""
    words = words_of(text)
    if not words:
        return Overview()
    command, rest = words[0].folded, words[1:]
    if command in WITH_WORDS:
        return _with_words(command, rest)
    if command not in COMMANDS:
        return parse_period(text, today)
    if rest:
        return Help(f"`{command}` takes no more words, so “{_shown(rest)}” is not answered: write `{command}` alone.")
    return COMMANDS[command][0]()


def _with_words(command: str, rest: Words) -> Why | SnoozeAlert | Help:
    if not rest:
        return Help(f"`{command}` needs the number or the name of an alert, as in `{WITH_WORDS[command][0]}`.")
    return Why(typed_of(rest)) if command == "why" else SnoozeAlert(typed_of(rest))


def parse_period(text: str, today: date) -> Summary | Help:
    """A period with an optional `by day|week|month`."""
    period, by = _split_by(words_of(text))
    if by is not None and fold_of(by) not in tuple(Period):
        return Help(f"`by` takes day, week or month{f', not “{_shown(by)}”' if by else ''}.")
    try:
        span = _span(fold_of(period) or "month", today)
    except _MisunderstoodError as error:
        return Help(str(error))
    if span is None:
        return Help(_unknown(period))
    return Summary(span, Period(fold_of(by)) if by else None)


class _MisunderstoodError(Exception):
    """A period that can be read but not answered."""


def _split_by(words: Words) -> tuple[Words, Words | None]:
    """What stands before the last `by`, and what comes after it."""
    places = [place for place, word in enumerate(words) if word.folded == "by"]
    return (words[: places[-1]], words[places[-1] + 1 :]) if places else (words, None)


def _span(period: str, today: date) -> Span | None:
    tomorrow = today + timedelta(days=1)
    named = _named(period, today)
    if named:
        return Span(named.start, min(named.end, tomorrow))
    if match := re.fullmatch(r"(?:last )?(\d{1,9}) ?(?:d|days?)", period):
        return _last_days(int(match[1]), tomorrow)
    if match := _FROM_TO.fullmatch(period):
        return _range(_dates(match[1]), _dates(match[2]), today)
    dates = _dates(period)
    return _range(dates, dates, today) if dates else None


def _named(period: str, today: date) -> Span | None:
    period = period.removeprefix("this ")
    if period in ("today", "day"):
        return window_of(Period.DAY, today).span
    if period in ("yesterday", "last day"):
        return window_of(Period.DAY, today).previous().span
    for unit in (Period.WEEK, Period.MONTH):
        window: Window = window_of(unit, today)
        if period == unit:
            return window.span
        if period == f"last {unit}":
            return window.previous().span
    return None


def _last_days(count: int, tomorrow: date) -> Span:
    if count < 1:
        raise _MisunderstoodError("That is no day at all: ask for 1d or more.")
    if count > 366:
        raise _MisunderstoodError("Cartesia answers for at most a year at once: ask for 365d or less.")
    return _at_most_a_year(tomorrow - timedelta(days=count), tomorrow)


_DATE = "[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?"
_FROM_TO = re.compile(rf"({_DATE})(?: ?(?:[.]{{2,3}}|-) ?| to )({_DATE})")
"""Three dots and a dash as well: phones make one sign of two dots and more, and a dash is how a range is printed."""


def _dates(text: str) -> Span | None:
    """One day or one month, as written; None where it is neither."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
            return window_of(Period.MONTH, date.fromisoformat(f"{text}-01")).span
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            day = date.fromisoformat(text)
            return Span(day, day + timedelta(days=1))
    except (ValueError, OverflowError):
        raise _MisunderstoodError(f"There is no {text} on the calendar.") from None
    return None


def _range(first: Span | None, last: Span | None, today: date) -> Span | None:
    if first is None or last is None:
        return None
    if first.start > today:
        raise _MisunderstoodError(f"{first.start} is still to come: today is {today} (UTC).")
    if last.last < first.start:
        raise _MisunderstoodError(f"{last.last} lies before {first.start}: write the earlier day first.")
    return _at_most_a_year(first.start, min(last.end, today + timedelta(days=1)))


def _at_most_a_year(start: date, end: date) -> Span:
    if end > a_year_after(start):
        raise _MisunderstoodError(
            f"{start} to {end - timedelta(days=1)} is more than a year: ask for at most a year at once."
        )
    return Span(start, end)


def _unknown(words: Words) -> str:
    """By the nearest word to the whole text, else to its first word, where a command is misspelt before a name."""
    known = [*COMMANDS, *WITH_WORDS, *list(PERIODS)[:6]]
    near = difflib.get_close_matches(fold_of(words)[:_SHOWN], known, n=1, cutoff=0.6)
    near = near or difflib.get_close_matches(fold_of(words[:1])[:_SHOWN], WITH_WORDS, n=1, cutoff=0.6)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"I don't know “{_shown(words)}”.{hint}"


def _shown(words: Words) -> str:
    text = typed_of(words)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
