"""How each value of a rules file is written, and what it means.

Every reader takes a value as it stands in the file: text, a `Bare` scalar, a list or a dict. It returns the meaning,
or raises ValueError with one plain sentence that quotes the offending text and shows how to write it.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from bot.model import Metric, Period

MAX_AMOUNT: Final = Decimal(10) ** 12
MAX_DURATION: Final = timedelta(days=366)
MAX_REPORT_DAYS: Final = 365
MAX_EXPECTED_DAYS: Final = 366
MAX_LETTERS: Final = 2000

MOST_ENTRIES: Final[Mapping[str, int]] = {
    "rules": 1000,
    "expected": 1000,
    "reports": 100,
    "editors": 200,
    "viewers": 200,
    "alert_at": 50,
    "mention": 50,
}
"""Of each list that a file may have."""

UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159")
"""Letters, signs and marks that are drawn as nothing: fillers of Hangul and Khmer, the blank of Braille and of notes
(beside Unicode's own classes of blanks, controls and format characters)."""

_SHAPES: Final[Mapping[type, str]] = {list: "a list", dict: "a group of keys"}
_NUMBER: Final = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_ID_REST: Final = r"[A-Z0-9]{2,20}"
_CHANNEL: Final = re.compile(r"[^\s#@<>,.:;!?'\"`*(){}\[\]/\\|]{1,80}")
_EVERYBODY: Final = ("@here", "@channel", "@everyone")
_AN_ID: Final = "a member id (U…: in the profile, Copy member ID) or a user group id (S…: in its menu, Copy group ID)"


class ScalarKind(StrEnum):
    """What YAML takes a scalar without quotes for, when that is not text."""

    NUMBER = "a number"
    SWITCH = "true or false"
    NOTHING = "nothing"
    DATE = "a date"


@dataclass(frozen=True, slots=True)
class Bare:
    """A scalar without quotes that YAML does not take for text, with its letters as they stand in the file."""

    text: str
    kind: ScalarKind


def quote(text: str) -> str:
    """The offending text as messages show it: on one line, in backquotes, at most 60 characters."""
    shown = "".join(
        character if character.isprintable() and character not in UNSEEN else _escape(character) for character in text
    )
    return f"`{shown if len(shown) <= 60 else shown[:59] + '…'}`"


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` was most likely meant to be."""
    return _nearest(word[:80], tuple(choices))


@lru_cache(maxsize=1024)
def _nearest(word: str, choices: tuple[str, ...]) -> str | None:
    """Remembered, since a long file has few different keys, and each comparison takes its time."""
    by_fold = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(word.casefold().replace("-", "_"), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def at_most(key: str, value: object) -> object:
    """The value of this key, unless it is a list of too many entries."""
    if isinstance(value, list) and len(value) > MOST_ENTRIES[key]:
        raise ValueError(too_many(f"{len(value):,}", MOST_ENTRIES[key]))
    return value


def too_many(entries: str, most: int) -> str:
    """What is said of a list with so many entries."""
    return f"This list has {entries} entries, and {most:,} are the most; shorten it."


def looks_blank(text: str) -> bool:
    """Whether nothing of it can be seen: blanks, fillers, and marks that stand on no letter."""
    return not any(unicodedata.category(character)[0] in "LNPS" and character not in UNSEEN for character in text)


# --- Names, channels, people ---------------------------------------------------------------------------------------


def name(value: object) -> str:
    """A rule's or a report's name, as `_label`."""
    return _label(value, "name", "Daily spend")


def why(value: object) -> str:
    """The reason for a declared event, as `_label`."""
    return _label(value, "reason", "product launch")


def _label(value: object, what: str, example: str) -> str:
    """1 to 80 printable characters without blanks at the ends; YAML must take it for text."""
    if isinstance(value, Bare) and value.kind is not ScalarKind.NOTHING:
        raise ValueError(
            f'YAML reads {quote(value.text)} as {value.kind}, so put quotes around it: "{value.text[:60]}".'
        )
    text = _text(value, f"a {what}", example)
    if text != text.strip():
        raise ValueError(f"The {what} {quote(text)} begins or ends with a blank; remove it.")
    for character in text:
        if not character.isprintable() and character not in "\u200c\u200d":
            raise ValueError(f"The {what} {quote(text)} holds the invisible character {_code(character)}; remove it.")
    if len(text) > 80:
        raise ValueError(f"The {what} {quote(text)} has {len(text)} characters; use at most 80.")
    return text


def channel(value: object) -> str:
    """A channel's "#name", a channel's id (C…, G…, D…), or a member's id (U…, W…) for a direct message."""
    text = _text(value, "a channel", '"#voice-spend"', 'put quotes around a name with #, as in "#voice-spend"')
    if re.fullmatch(f"[CDGUW]{_ID_REST}", text):
        return text
    if text.startswith("@"):
        raise ValueError(f"{quote(text)} is a person; write the member's id (U…), which Slack shows in their profile.")
    bare = text.removeprefix("#")
    if not _CHANNEL.fullmatch(bare) or not bare.isprintable() or looks_blank(bare):
        raise ValueError(f'{quote(text)} is not a channel; write its name as in "#voice-spend", or its id.')
    if bare != bare.lower():
        raise ValueError(f'Slack writes channels in lower case; write "#{bare.lower()}" for {quote(text)}.')
    if not text.startswith("#"):
        raise ValueError(f'A channel starts with # and stands in quotes; write "#{bare}" for {quote(text)}.')
    return text


def mention(value: object) -> str:
    """Who is mentioned: "@here", "@channel", "@everyone", or a member's or user group's bare id.

    Slack mentions by id alone (https://docs.slack.dev/messaging/formatting-message-text): a handle would be mere text.
    """
    text = _text(value, "somebody to mention", '"@here"')
    if found := re.fullmatch(f"(?:<@|@)?([UW]{_ID_REST})>?|(?:<!subteam\\^|@)?(S{_ID_REST})>?", text):
        return str(found[1] or found[2])
    if text in _EVERYBODY:
        return text
    if (near := f"@{text.strip('<>!@').lower()}") in _EVERYBODY:
        raise ValueError(f'A mention starts with @ and stands in quotes; write "{near}" for {quote(text)}.')
    raise ValueError(f'{quote(text)} mentions nobody, since Slack mentions by id; write "@here", or {_AN_ID}.')


def person(value: object) -> str:
    """Who has a right: "admins", a member's id (U…, W…) or a user group's id (S…)."""
    text = _text(value, "a person", "admins")
    if text == "admins" or re.fullmatch(f"[USW]{_ID_REST}", text):
        return text
    if text == "everyone":
        raise ValueError("Editing is not for everyone; list admins, member ids (U…) or user group ids (S…).")
    raise ValueError(f"{quote(text)} names nobody here; write admins, or {_AN_ID}.")


def viewer(value: object) -> str:
    """As `person`, or "everyone"."""
    return "everyone" if value == "everyone" else person(value)


def viewers(value: object) -> object:
    """`everyone` alone stands for the list of it."""
    if isinstance(value, str) and value != "everyone":
        raise ValueError(f"{quote(value)} is not understood here; write everyone, or a list such as [admins].")
    return [value] if value == "everyone" else value


def link(value: object) -> str:
    """A whole http or https address."""
    text = _text(value, "a web address", "https://example.com/runbook")
    if not re.fullmatch(r"https?://[^\s/?#<>|]+[^\s<>|]*", text) or not text.isprintable():
        raise ValueError(f"{quote(text)} is not a web address; write it whole, such as https://example.com/runbook.")
    return text


# --- What is measured ----------------------------------------------------------------------------------------------


def metric(value: object) -> Metric:
    """One of the metrics."""
    return Metric(_one_of(value, "a metric", [metric.value for metric in Metric]))


def summed_metric(value: object) -> Metric:
    """A metric that grows through the day: cost, minutes or calls."""
    found = metric(value)
    if found.is_ratio:
        raise ValueError(f"`below` counts through the day, and `{found}` is a ratio; use cost, minutes or calls.")
    return found


def period(value: object) -> Period:
    """day, week or month."""
    return Period(_one_of(value, "a period", [period.value for period in Period]))


def day_only(value: object) -> Period:
    """day: rules that compare days know no other period."""
    found = period(value)
    if found is not Period.DAY:
        raise ValueError(f"Only rules with `threshold` can be per {found}; remove this line, as day is the default.")
    return found


# --- Amounts -------------------------------------------------------------------------------------------------------


def amount(of: Metric, value: object) -> Decimal:
    """An amount in the metric's unit: cents, minutes or calls; more than zero, at most 10^12."""
    text = _text(value, "an amount", _example(of))
    found = _cents(of, text) if of.is_money else _plain_amount(of, text)
    if found <= 0:
        raise ValueError(f"{quote(text)} must be more than zero; write an amount such as {_example(of)}.")
    if found > MAX_AMOUNT:
        raise ValueError(f"{quote(text)} is more than anybody will use; write a smaller amount.")
    if of in (Metric.COST, Metric.CALLS) and found != found.to_integral_value():
        unit = "cents" if of is Metric.COST else "calls"
        raise ValueError(f"{quote(text)} has a fraction, and {unit} are counted whole; write {_example(of)}, say.")
    if found.as_tuple().exponent < -6:  # type: ignore[operator]  # a finite number's exponent is an int
        raise ValueError(f"{quote(text)} is finer than can be measured; use fewer decimals.")
    return found


def amount_of_metric(value: object, of: Metric | None) -> Decimal:
    """As `amount`, of the metric read elsewhere; None where that is a mistake."""
    if of is None:
        return Decimal(1)  # without a metric, nothing more can be said about its amounts
    return amount(of, value)


def count_of_calls(value: object) -> int:
    """A whole number of calls."""
    return int(amount(Metric.CALLS, value))


def percent(value: object) -> Decimal:
    """From 1% to 1000%, with at most two decimals."""
    text = _text(value, "a percentage", "80%")
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)\s?(%?)", text)
    if not found:
        raise ValueError(f"{quote(text)} is not a percentage; write it as in 80%.")
    if not found[2]:
        raise ValueError(f"{quote(text)} has no percent sign; write {found[1]}%.")
    number = Decimal(found[1])
    if not 1 <= number <= 1000:
        raise ValueError(f"{quote(text)} is out of range; write a percentage from 1% to 1000%.")
    if number != round(number, 2):
        raise ValueError(f"{quote(text)} is too fine; use at most two decimals.")
    return number


def rising(levels: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """The levels in rising order; at least one, none twice."""
    if not levels:
        raise ValueError("There is no level in this list; write at least one, such as [80%, 100%].")
    ordered = sorted(levels)
    for level, next_one in pairwise(ordered):
        if level == next_one:
            raise ValueError(f"The level {level.normalize():f}% is listed twice; keep one of them.")
    return tuple(ordered)


def multiple(value: object) -> Decimal:
    """How many times the usual: "2x"; more than 1, at most 1000."""
    text = _text(value, "a multiple", "2x")
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,4})?)\s?([xX\u00d7]?)", text)
    if not found:
        raise ValueError(f"{quote(text)} is not a multiple; write it as in 2x or 1.5x.")
    if not found[2]:
        raise ValueError(f"{quote(text)} has no x; write {found[1]}x for {found[1]} times the usual.")
    if not 1 < Decimal(found[1]) <= 1000:
        raise ValueError(f"{quote(text)} is out of range; write a multiple above 1x and up to 1000x.")
    return Decimal(found[1])


# --- Time ----------------------------------------------------------------------------------------------------------


def duration(value: object) -> timedelta:
    """A length of time in days, hours, minutes and seconds: "1d", "1h30m", "90s"; more than zero, at most a year."""
    text = _text(value, "a length of time", "30m, 4h or 1d")
    found = re.fullmatch(
        r"(?=[0-9])(?:([0-9]{1,9})d)?\s?(?:([0-9]{1,9})h)?\s?(?:([0-9]{1,9})m)?\s?(?:([0-9]{1,9})s)?", text
    )
    if not found:
        if re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(f"{quote(text)} has no unit; write {text}m for minutes or {text}h for hours.")
        raise ValueError(f"{quote(text)} is not a length of time; write it as in 30m, 4h or 1d.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 0 < length <= MAX_DURATION.total_seconds():
        raise ValueError(f"{quote(text)} is out of range; write a length of time above 0s and up to 366d.")
    return timedelta(seconds=length)


def reminder(value: object) -> timedelta:
    """A `duration` of at least a minute."""
    found = duration(value)
    if found < timedelta(minutes=1):
        raise ValueError(f"{quote(_text(value, '', ''))} is too often to be reminded; write 1m or more.")
    return found


def day(value: object) -> date:
    """A UTC day as YAML writes dates, with or without quotes: 2026-12-01."""
    text = _text(value, "a day", "2026-12-01")
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(.*)", text, re.DOTALL)
    if not found:
        raise ValueError(f"{quote(text)} is not a day; write year, month and day, as in 2026-12-01.")
    padded = f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}"
    try:
        meant = date.fromisoformat(padded)
    except ValueError:
        raise ValueError(f"{quote(text)} is a day that no calendar has; correct it.") from None
    if text != padded:
        raise ValueError(f"{quote(text)} is not written as a whole UTC day; write {padded}.")
    return meant


def last_day(value: object, first: date | None) -> date:
    """A `day` that is `first` or comes after it, 366 days with both at most; None where `first` is a mistake."""
    last = day(value)
    if first is None:
        return last
    if last < first:
        raise ValueError(f"`{last}` comes before `from`, which is {first}; write that day or a later one.")
    if (days := (last - first).days + 1) > MAX_EXPECTED_DAYS:
        raise ValueError(
            f"`{last}` makes an event of {days} days, and {MAX_EXPECTED_DAYS} are the most; write an earlier day."
        )
    return last


def time_of_day(value: object) -> time:
    """A UTC time of day after midnight: "12:00"."""
    text = _text(value, "a time of day", '"12:00"')
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if not found or not (int(found[1]) < 24 and int(found[2]) < 60):
        raise ValueError(f'{quote(text)} is not a time of day in UTC; write it as in "12:00", up to "23:59".')
    if text.strip("0") == ":":
        raise ValueError(f'{quote(text)} is when the UTC day begins; write a later time, such as "12:00".')
    return time(int(found[1]), int(found[2]))


def timezone(value: object) -> str:
    """The IANA name of a time zone."""
    text = _text(value, "a time zone", "Europe/Berlin")
    if text == "UTC" or _zone_exists(text):
        return text
    raise ValueError(
        f"{quote(text)} is not a time zone{_did_you_mean(nearest(text, _zones()), 'Europe/Berlin or UTC')}"
    )


def schedule(value: object) -> str:
    """Five fields as cron writes them: minute, hour, day of month, month, day of week."""
    from cronsim import CronSim, CronSimError

    text = " ".join(_text(value, "a schedule", '"0 9 * * 1"').split())
    fields = text.count(" ") + 1
    if fields != 5 or len(text) > 200:
        raise ValueError(
            f"{quote(text)} is not a schedule of five fields (minute, hour, day, month, weekday); "
            'write it as in "0 9 * * 1".'
        )
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ").replace("day-of-", "day of ")
        raise ValueError(f"The {field} in {quote(text)} is not one that cron knows; correct that field.") from None
    except (StopIteration, ValueError, ArithmeticError, RecursionError, AssertionError):
        raise ValueError(f"The schedule {quote(text)} names a day that never comes; correct it.") from None
    return text


def report_period(value: object) -> str:
    """What a report covers: a named period, or "7d" for the last seven UTC days (up to 365d)."""
    named = ("today", "yesterday", "week", "last week", "month", "last month")
    text = " ".join(_text(value, "a period", "last week").lower().split())
    if text in named:
        return text
    days = re.fullmatch(r"(?:last )?([0-9]{1,4}) ?(?:d|days?)", text)
    if days and 1 <= int(days[1]) <= MAX_REPORT_DAYS:
        return f"{int(days[1])}d"
    if days:
        raise ValueError(f"{quote(text)} is out of range; write from 1d to {MAX_REPORT_DAYS}d.")
    hint = _did_you_mean(nearest(text, named), "today, last week, month or 7d")
    raise ValueError(f"{quote(text)} is not a period{hint}")


def switch(value: object) -> bool:
    """true or false, without quotes."""
    if isinstance(value, Bare) and value.kind is ScalarKind.SWITCH:
        return value.text.lower() == "true"
    text = _text(value, "true or false", "true")
    raise ValueError(f"{quote(text)} is neither true nor false; write true or false, without quotes.")


# --- Parts of the readers ------------------------------------------------------------------------------------------


def _text(value: object, what: str, example: str, empty_help: str = "") -> str:
    """The letters of a scalar; a list, a mapping or nothing is refused."""
    if shape := _SHAPES.get(type(value)):
        raise ValueError(f"Here stands {shape} where {what} is needed; write one value, such as {example}.")
    text = value.text if isinstance(value, Bare) and value.kind is not ScalarKind.NOTHING else value
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"There is no value here; {empty_help or f'write {what}, such as {example}'}.")
    if looks_blank(text):
        raise ValueError(
            f"The value here looks blank: it is nothing but {_codes(text)}; write {what} that can be seen."
        )
    if len(text) > MAX_LETTERS:
        raise ValueError(f"{quote(text)} has {len(text)} characters; write {what}, such as {example}.")
    return text


def _one_of(value: object, what: str, choices: list[str]) -> str:
    text = _text(value, what, choices[0])
    if text in choices:
        return text
    listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
    raise ValueError(f"{quote(text)} is not {what}{_did_you_mean(nearest(text, choices), listed)}")


def _did_you_mean(near: str | None, choices: str) -> str:
    return f"; did you mean `{near}`?" if near else f"; write {choices}."


def _example(of: Metric) -> str:
    """How an amount of this metric is written, as messages show it."""
    match of:
        case Metric.COST:
            return "$50 or 5000 cents"
        case Metric.COST_PER_CALL:
            return "$0.30 or 30 cents"
        case Metric.COST_PER_MINUTE:
            return "$0.065 or 6.5 cents"
        case Metric.MINUTES:
            return "120"
        case Metric.CALLS:
            return "100"
        case Metric.MINUTES_PER_CALL:
            return "6"


def _cents(of: Metric, text: str) -> Decimal:
    """Money, in cents."""
    if found := re.fullmatch(rf"(-?)\$\s?({_NUMBER})|\$\s?(-{_NUMBER})|(-?{_NUMBER})\s?(?:cents?|¢)", text):
        sign, in_dollars, below_zero, in_cents = found.groups()
        cents = _decimal(text, in_cents) if in_cents else _decimal(text, in_dollars or below_zero) * 100
        return -cents if sign else cents
    if re.fullmatch(_NUMBER, text) and len(text) <= 20:
        cents = _decimal(text, text) * 100
        raise ValueError(f"{quote(text)} has no unit; write ${text} or {cents.normalize():f} cents.")
    if text[0] in "€£¥" or re.search(r"\b(EUR|GBP|CHF|JPY|euros?|pounds?)\b", text):
        raise ValueError(f"{quote(text)} is in another currency, and Cartesia bills US dollars; write {_example(of)}.")
    raise ValueError(f"{quote(text)} is not an amount of money; write it as in {_example(of)}.")


def _plain_amount(of: Metric, text: str) -> Decimal:
    """Minutes or calls: a number, with or without the unit's name."""
    unit = "calls" if of is Metric.CALLS else "minutes"
    if found := re.fullmatch(rf"(-?{_NUMBER})(?:\s?{unit}?)?", text):
        return _decimal(text, found[1])
    if "$" in text or "cent" in text:
        raise ValueError(f"{quote(text)} is money, and `{of}` counts {unit}; write a number such as {_example(of)}.")
    raise ValueError(f"{quote(text)} is not a number of {unit}; write a plain number such as {_example(of)}.")


def _decimal(text: str, digits: str) -> Decimal:
    """The exact number; more than 24 characters are beyond every limit, and beyond exact arithmetic."""
    if len(digits) > 24:
        raise ValueError(f"{quote(text)} has too many digits; write a shorter number.")
    return Decimal(digits.replace(",", ""))


def _escape(character: str) -> str:
    return " " if character in "\n\r\t" else f"\\u{ord(character):04x}"


def _codes(text: str) -> str:
    different = list(dict.fromkeys(text))
    return ", ".join(map(_code, different[:3])) + (" …" if len(different) > 3 else "")


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _zone_exists(text: str) -> bool:
    from zoneinfo import ZoneInfo

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}", text) or len(text) > 64:
        return False
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _zones() -> set[str]:
    from zoneinfo import available_timezones

    return available_timezones()
