"""Until when somebody wants quiet, as it is typed: a length of time, tomorrow, the next level, or an amount."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.commands.typed.user_input import Words, fold_of, folded, typed_of
from bot.model import Metric
from bot.rules import values
from bot.windows import midnight, utc_day

SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = values.MAX_DURATION
OVERNIGHT: Final = timedelta(hours=6)  # "tomorrow" is no sooner: typed shortly before midnight UTC, it is not minutes

EXAMPLES: Final = "`30m`, `2 hours`, `1 day`, `tomorrow`, `next level`, or an amount such as $75"


@dataclass(frozen=True, slots=True)
class Lasting:
    """For so long."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Tomorrow:
    """Until tomorrow, by UTC days."""


@dataclass(frozen=True, slots=True)
class NextLevel:
    """Until a higher level is reached."""


@dataclass(frozen=True, slots=True)
class Reaching:
    """Until the figure reaches this amount, as it was typed."""

    amount: str


@dataclass(frozen=True, slots=True)
class MinutesOrAmount:
    """ "90 minutes": a length of time, and for a budget of minutes just as well an amount."""

    length: timedelta
    amount: str


Until = Lasting | Tomorrow | NextLevel | Reaching | MinutesOrAmount

CHOICES: Final[Mapping[str, Until]] = {
    "hour": Lasting(timedelta(hours=1)),
    "tomorrow": Tomorrow(),
    "level": NextLevel(),
}
"""What the options of an alert's menu mean, but for the one that asks for an amount."""


def parse_until(words: Words) -> Until | None:
    """Until when these words say, None where they say no such thing: "for 2 hours", "until tomorrow", "$75"."""
    if words and words[0].folded == "-":  # "Daily spend — 2 hours"
        words = words[1:]
    leads = words[0].folded if words and words[0].folded in ("for", "until", "till", "til") else ""
    rest = words[1:] if leads else words
    text = fold_of(rest).removeprefix("the ").removeprefix("next ")
    if text in ("tomorrow", "level"):
        return CHOICES[text]
    length = _length(text)
    amount = typed_of(rest) if _AMOUNT.fullmatch(text) else None
    if length is not None and amount and not leads:
        return MinutesOrAmount(length, amount)
    if length is not None and (leads == "for" or not amount):
        return Lasting(length)
    return Reaching(amount) if amount else None


def tomorrow_from(now: datetime) -> datetime:
    """The first midnight UTC that is a night away."""
    return midnight(utc_day(now + OVERNIGHT) + timedelta(days=1))


# A length of time

_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
_COUNTS: Final = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "half": 0.5, "half a": 0.5, "half an": 0.5}
_COUNT: Final = rf"[0-9]{{1,6}}(?:[.,][0-9]{{1,3}})?|{'|'.join(sorted(_COUNTS, key=len, reverse=True))}"
_UNIT: Final = "minutes?|mins?|hours?|hrs?|days?|weeks?"
_PART: Final = rf"(?P<count>{_COUNT}) ?(?P<unit>{_UNIT})|(?P<number>[0-9]{{1,6}}) ?(?P<letter>[mhdw])"
_PARTS: Final = re.compile(rf"(?:{re.sub('[?]P<[a-z]+>', '?:', _PART)})(?: ?(?:and )?(?:{_PART}))*")


def _length(text: str) -> timedelta | None:
    """ "2 hours", "90m", "1h30m", "half an hour", "1 hour and 30 minutes"."""
    if text in ("hour", "day", "week"):
        text = f"a {text}"
    if not _PARTS.fullmatch(text):
        return None
    return sum((_part(found) for found in re.finditer(_PART, text)), timedelta())


def _part(found: re.Match[str]) -> timedelta:
    count, unit = found["count"] or found["number"], (found["unit"] or found["letter"])[0]
    how_many = _COUNTS.get(count) or float(count.replace(",", "."))
    return timedelta(minutes=how_many * _MINUTES[unit])


# An amount

_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("$", "us$", "usd", "dollars", "dollar", "bucks"), "dollars"),
    **dict.fromkeys(("cents", "cent", "¢"), "cents"),
    **dict.fromkeys(("minutes", "minute", "mins", "min"), "minutes"),
    **dict.fromkeys(("calls", "call"), "calls"),
    **dict.fromkeys(("€", "£", "¥", "eur", "euros", "euro", "gbp", "pounds", "pound", "chf", "%"), "none of these"),
}
_ANY_UNIT: Final = "|".join(map(re.escape, _UNITS))
_EACH: Final = r" ?(?:a|per|/) ?(?P<each>call|min)(?:ute)?"
_AMOUNT: Final = re.compile(
    rf"-?(?:(?P<before>{_ANY_UNIT}) ?)?-?(?P<figure>[0-9][0-9.,']*|[.][0-9]+)"
    rf"(?: ?(?P<after>{_ANY_UNIT}))?(?:{_EACH})?"
)


def typed_amount(metric: Metric, typed: str) -> Decimal:
    """An amount in the metric's unit, written as in rules.yaml, as the bot prints it, or as people do: "75", "75 $",
    "USD 75", "75,00". Raises ValueError with one plain sentence."""
    text = folded(typed)
    found = _AMOUNT.fullmatch(text)
    if not found or not _is_of(metric, found):
        return values.amount(metric, typed.strip())  # which says what is wrong
    figure = ("-" if "-" in text else "") + _figure(found["figure"])
    if not metric.is_money:
        return values.amount(metric, figure)
    is_cents = _UNITS.get(found["after"]) == "cents"
    return values.amount(metric, f"{figure} cents" if is_cents else f"${figure}")


def _is_of(metric: Metric, found: re.Match[str]) -> bool:
    """Whether each unit that stands there is this metric's."""
    own = ("dollars", "cents") if metric.is_money else ("calls",) if metric is Metric.CALLS else ("minutes",)
    units = {_UNITS[unit] for unit in (found["before"], found["after"]) if unit}
    each = found["each"]
    return units <= set(own) and (not each or f"_per_{each}" in metric)


def _figure(digits: str) -> str:
    """The number as rules write it: "75,00" and "1.250,50" have a decimal comma, "1,250" has thousands."""
    digits = digits.replace("'", "")
    if re.fullmatch(r"(?:[0-9]{1,3}(?:[.][0-9]{3})+|[0-9]+),[0-9]{1,2}|0,[0-9]+", digits):
        digits = digits.replace(".", "").replace(",", ".")
    return f"0{digits}" if digits.startswith(".") else digits
