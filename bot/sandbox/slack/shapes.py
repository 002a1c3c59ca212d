"""Small checks from which the tables of Block Kit's rules are built. A check yields the mistakes of one value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where, as a JSON pointer from the array of blocks: "/0/text/text"."""

    pointer: str
    message: str


Check = Callable[[Any, str], Iterator[Mistake]]


def string(high: int | None = None, low: int = 1) -> Check:
    """A string of `low` to `high` characters."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if not isinstance(value, str):
            yield Mistake(at, "must be a string")
        elif len(value) < low:
            yield Mistake(at, f"must be more than {low - 1} characters")
        elif high is not None and len(value) > high:
            yield Mistake(at, f"must be less than {high + 1} characters")

    return check


def one_of(*allowed: str) -> Check:
    """One of these strings."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if value not in allowed:
            yield Mistake(at, f"must be one of: {', '.join(allowed)}")

    return check


def boolean(value: Any, at: str) -> Iterator[Mistake]:
    if not isinstance(value, bool):
        yield Mistake(at, "must be a boolean")


def integer(low: int, high: int | None = None) -> Check:
    """A whole number from `low` to `high`."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Mistake(at, "must be an integer")
        elif value < low:
            yield Mistake(at, f"must be at least {low}")
        elif high is not None and value > high:
            yield Mistake(at, f"must be at most {high}")

    return check


def number(value: Any, at: str) -> Iterator[Mistake]:
    """A finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Mistake(at, "must be a number")
    elif not math.isfinite(value):
        yield Mistake(at, "must be a finite number")


def positive(value: Any, at: str) -> Iterator[Mistake]:
    """A finite JSON number above zero."""
    wrong = list(number(value, at))
    yield from wrong
    if not wrong and value <= 0:
        yield Mistake(at, "must be greater than 0")


def decimal_string(value: Any, at: str) -> Iterator[Mistake]:
    """A number written as a string, as number_input takes it."""
    if not isinstance(value, str):
        yield Mistake(at, "must be a string")
        return
    try:
        float(value)
    except ValueError:
        yield Mistake(at, "must be a number in a string")


def anything(_value: Any, _at: str) -> Iterator[Mistake]:
    """Accepts every value, where no rule is published."""
    return iter(())


def array(of: Check, low: int = 1, high: int | None = None) -> Check:
    """A list of `low` to `high` items, each of which passes `of`."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if not isinstance(value, list):
            yield Mistake(at, "must be an array")
            return
        if len(value) < low:
            yield Mistake(at, f"must have at least {low} items")
        if high is not None and len(value) > high:
            yield Mistake(at, f"no more than {high} items allowed")
        for place, item in enumerate(value):
            yield from of(item, f"{at}/{place}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check) -> Check:
    """An object with these fields and no others; `rules` look at the whole once its fields are right."""
    fields = {"type": anything, **required, **(optional or {})}

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if not isinstance(value, dict):
            yield Mistake(at, "must provide an object")
            return
        wrong = [Mistake(at, f"missing required field: {name}") for name in required if name not in value]
        for name, inner in value.items():
            if name in fields:
                wrong.extend(fields[name](inner, f"{at}/{name}"))
            else:
                wrong.append(Mistake(at, f"invalid additional property: {name}"))
        yield from wrong
        if not wrong:
            for rule in rules:
                yield from rule(value, at)

    return check


def by_type(kinds: Mapping[str, Check], allowed: frozenset[str] | None = None) -> Check:
    """An object whose `type` picks the check; a type outside `allowed` (default: all of `kinds`) is a mistake."""
    names = frozenset(kinds) if allowed is None else allowed

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if not isinstance(value, dict):
            yield Mistake(at, "must provide an object")
            return
        kind = value.get("type")
        if isinstance(kind, str) and kind in names:
            yield from kinds[kind](value, at)
        else:
            yield Mistake(f"{at}/type", f"unsupported type: {kind}")

    return check


def any_field_of(*names: str) -> Check:
    """At least one of these fields is there."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if not any(name in value for name in names):
            yield Mistake(at, f"must have at least one of: {', '.join(names)}")

    return check


def not_both(first: str, second: str) -> Check:
    """Of two fields at most one is there."""

    def check(value: Any, at: str) -> Iterator[Mistake]:
        if first in value and second in value:
            yield Mistake(at, f"cannot have both {first} and {second}")

    return check


def unique(values: list[Any], at: str, what: str) -> Iterator[Mistake]:
    """One mistake for each value that repeats an earlier one."""
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            yield Mistake(at, f"{what} must be unique: {value}")
        seen.add(value)
