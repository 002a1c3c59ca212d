"""The text of a rules file to `Rules`, or to every mistake in it at once. Pure.

The text is read into a tree that knows its places (`tree`), pydantic checks each value (`models`), and what it finds
is said in plain sentences at the place where it has to be mended. Combinations that make no sense are found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bot.model import Metric
from bot.rules import values
from bot.rules.mistakes import MAX_MISTAKES, Mistake, RulesError
from bot.rules.models import (
    ALL_RULE_KEYS,
    KEYS_OF_KIND,
    Access,
    Escalation,
    Expected,
    Report,
    Rules,
    keys_of,
    kind_of,
    one_of,
)
from bot.rules.tree import Node, Position, read_tree
from bot.rules.values import Bare, nearest, quote

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

__all__ = ["Mistake", "RulesError", "decode", "parse"]

Path = tuple[str | int, ...]
"""The way from the top of the file to a value: keys, and positions in lists."""

Entry = dict[str, object]
"""The keys and values of one rule as they stand in the file."""

_EXAMPLES: Final[Mapping[str, str]] = {
    "access": "access: {editors: [admins], viewers: everyone}",
    "above_usual": "above_usual: 2x",
    "after": "after: 30m",
    "alert_at": "alert_at: [80%, 100%]",
    "below": "below: 1",
    "by": 'by: "12:00"',
    "channel": 'channel: "#voice-spend"',
    "editors": "editors: [admins]",
    "escalate": 'escalate: {after: 30m, channel: "#finance"}',
    "from": "from: 2026-12-01",
    "mention": 'mention: ["@here"]',
    "name": "name: Daily spend",
    "period": "period: last week",
    "reports": "reports: []",
    "rule": "rule: Daily spend",
    "rules": "rules: []",
    "schedule": 'schedule: "0 9 * * 1"',
    "threshold": "threshold: $50",
    "to": "to: 2026-12-03",
    "viewers": "viewers: everyone",
    "why": "why: product launch",
}

_FIRST_KEYS: Final[Mapping[str, str]] = {"rules": "name", "reports": "name", "expected": "from"}
"""The key that each entry of these lists begins with, as people write them."""

_MAX_GUESSES: Final = 20
"""Rules that an event may have meant are looked up so often: each look compares with every name of the file."""


def decode(content: bytes) -> str:
    """The text of a file's bytes; raises RulesError where they are not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        column = len(before[start:].decode(errors="replace")) + 1
        raise RulesError((Mistake(line, column, "The file is not UTF-8 text here; save it again as UTF-8."),)) from None


def parse(text: str) -> Rules:
    """What the rules file says; raises RulesError with every mistake, in the order of their places."""
    from pydantic import ValidationError

    root, mistakes = read_tree(text)
    written = root.plain()
    if not isinstance(written, dict):
        top = "The file must begin with keys such as `channel:` and `rules:`; write those."
        raise RulesError((*mistakes, Mistake(*root.position, top)))
    found = islice(_combinations(written), MAX_MISTAKES + 1)
    mistakes += [Mistake(*_position_of_key(root, path), message) for path, message in found]
    rules = None
    try:
        rules = _adapter().validate_python(written, context=_metrics(written))
    except ValidationError as error:
        mistakes += islice(_sentences(error, root), MAX_MISTAKES + 1)
    if mistakes or rules is None:
        raise RulesError(tuple(sorted(set(mistakes))))
    return rules


@cache
def _adapter() -> TypeAdapter[Rules]:
    from pydantic import TypeAdapter

    return TypeAdapter(Rules)


# --- What pydantic found, in plain sentences -----------------------------------------------------------------------


def _sentences(error: ValidationError, root: Node) -> Iterator[Mistake]:
    """A mistake for each of pydantic's errors, at the key or value that has to be mended."""
    for found in error.errors(include_url=False, include_input=False):
        path = _path_in_file(found["loc"])
        match found["type"]:
            case "unexpected_keyword_argument" if _stands_beside_its_owner(path, root):
                continue  # the key that it goes with is reported, and takes it along
            case "unexpected_keyword_argument":
                yield Mistake(*_position_of_key(root, path), _unknown_key(path, root))
            case "missing":
                if not _has_near_miss(path, root):
                    yield Mistake(*_position_of_value(root, path[:-1]), _missing_key(path))
            case "value_error":
                yield Mistake(*_position_of_value(root, path), str(found["ctx"]["error"]))
            case "tuple_type":
                yield Mistake(*_position_of_value(root, path), _not_a_list(path))
            case _:
                yield Mistake(*_position_of_value(root, path), _wrong_shape(path))


def _path_in_file(loc: tuple[str | int, ...]) -> Path:
    """Pydantic's path without the kind that it names after a rule's position."""
    in_rule = len(loc) > 2 and loc[0] == "rules" and loc[2] in KEYS_OF_KIND
    return loc[:2] + loc[3:] if in_rule else loc


def _unknown_key(path: Path, root: Node) -> str:
    """What to do about a key that does not belong here."""
    key, around = str(path[-1]), path[:-1]
    if len(around) == 2 and around[0] == "rules" and key in ALL_RULE_KEYS:
        return _key_of_another_kind(key, kind_of(_node(root, around).plain()))
    known = _known_keys(around)
    if near := nearest(key, known):
        return f"{quote(key)} is not a key here; did you mean `{near}`?"
    return f"{quote(key)} is not a key here; remove it, or use one of {', '.join(known)}."


def _key_of_another_kind(key: str, kind: str) -> str:
    if key in KEYS_OF_KIND:
        return f"`{key}` and `{kind}` make different rules; keep one here, and write a second rule for the other."
    owners = one_of(f"`{owner}`" for owner in _owners(key))
    return f"`{key}` goes with {owners}, and this rule has `{kind}`; remove it."


def _owners(key: str | int) -> list[str]:
    """The kinds that this key goes with, by the keys that make them."""
    return [owner for owner, keys in KEYS_OF_KIND.items() if key in keys]


def _stands_beside_its_owner(path: Path, root: Node) -> bool:
    """True for `by` in a rule that has both `threshold` and `below`."""
    in_rule = len(path) == 3 and path[0] == "rules"
    return in_rule and any(owner in _node(root, path[:-1]).keys for owner in _owners(path[-1]))


def _known_keys(around: Path) -> tuple[str, ...]:
    """The keys that may stand in the part of the file at this path."""
    match around:
        case ():
            return keys_of(Rules)
        case ("rules", int()):
            return ALL_RULE_KEYS
        case ("rules", int(), "escalate"):
            return keys_of(Escalation)
        case ("reports", int()):
            return keys_of(Report)
        case ("expected", int()):
            return keys_of(Expected)
        case _:
            return keys_of(Access)


def _has_near_miss(path: Path, root: Node) -> bool:
    """True where a key beside is reported that stands for the missing one: a misspelling of it, or a merge."""
    keys, known = _node(root, path[:-1]).keys, _known_keys(path[:-1])
    return "<<" in keys or any(key not in known and nearest(key, known) == path[-1] for key in keys)


def _missing_key(path: Path) -> str:
    key = str(path[-1])
    if key == "threshold" and path[0] == "rules":
        return f"This rule does not say what to watch; add {one_of(f'`{kind}`' for kind in KEYS_OF_KIND)}."
    return f"`{key}` is missing here; add it, as in `{_example(path)}`."


def _not_a_list(path: Path) -> str:
    if len(path) == 1:
        key = str(path[0])
        return f"A list is needed here; begin each entry with `- {_FIRST_KEYS[key]}:`, or write `{key}: []` for none."
    return f"A list is needed here; write it as in `{_example(path)}`."


def _wrong_shape(path: Path) -> str:
    """For a value that should have been keys with values."""
    match path:
        case ("rules", int()):
            return (
                "A rule is needed here, with keys of its own; write it as in `- {name: Daily spend, threshold: $50}`."
            )
        case ("reports", int()):
            return (
                'A report is needed here; write it as in `- {name: Weekly, schedule: "0 9 * * 1", period: last week}`.'
            )
        case ("expected", int()):
            return "An event is needed here, with keys of its own; begin it as in `- from: 2026-12-01`."
        case _:
            return f"Keys with values are needed here; write them as in `{_example(path)}`."


def _example(path: Path) -> str:
    key = next((part for part in reversed(path) if isinstance(part, str)), "rules")
    return _EXAMPLES.get(key, f"{key}: …")


# --- Places --------------------------------------------------------------------------------------------------------


def _node(root: Node, path: Path) -> Node:
    """The value at the path, or the innermost one around it that exists."""
    node = root
    for part in path:
        inner: Node | None = None
        if isinstance(node.content, dict):
            inner = node.content.get(str(part))
        elif isinstance(node.content, list) and isinstance(part, int) and part < len(node.content):
            inner = node.content[part]
        if inner is None:
            break
        node = inner
    return node


def _position_of_value(root: Node, path: Path) -> Position:
    return _node(root, path).position


def _position_of_key(root: Node, path: Path) -> Position:
    around = _node(root, path[:-1])
    return around.keys.get(str(path[-1]), around.position) if path else root.position


# --- Combinations that make no sense -------------------------------------------------------------------------------

Found = Iterator[tuple[Path, str]]
"""Mistakes by their paths."""


def _combinations(written: Entry) -> Found:
    """What no single value shows: twice the same name, keys that contradict each other, no channel at all."""
    rules, reports = _mappings(written, "rules"), _mappings(written, "reports")
    yield from _same_names("rules", rules)
    yield from _same_names("reports", reports)
    for path, rule in rules:
        yield from _ratio_keys(path, rule)
        yield from _mention_keys(path, rule)
    yield from _events(_mappings(written, "expected"), _by_name(rules))
    if (
        (rules or reports)
        and "channel" not in written
        and not any(nearest(key, ["channel"]) for key in _unknown(written))
    ):
        yield (), f"`channel` is missing here; add it, as in `{_EXAMPLES['channel']}`."


def _mappings(written: Entry, key: str) -> list[tuple[Path, Entry]]:
    """The entries of a list that have keys, each with its path."""
    entries = written.get(key)
    if not isinstance(entries, list):
        return []
    return [((key, index), entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def _unknown(written: Entry) -> list[str]:
    return [key for key in written if key not in keys_of(Rules)]


def _same_names(key: str, entries: list[tuple[Path, Entry]]) -> Found:
    seen: set[str] = set()
    for path, entry in entries:
        name = entry.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield (*path, "name"), f"Another of the {key} above is called {quote(name)}; give each its own name."
        seen.add(name)


def _ratio_keys(path: Path, rule: Entry) -> Found:
    """Ratios do not add up, so they have no forecast and no further steps; only they need a number of calls."""
    if "threshold" not in rule:
        return
    metric = rule.get("metric", "cost")
    is_ratio = metric in [ratio.value for ratio in Metric if ratio.is_ratio]
    is_sum = metric in [sum_.value for sum_ in Metric if not sum_.is_ratio]
    for key in ("then_every", "forecast"):
        if is_ratio and key in rule:
            yield (*path, key), f"`{key}` needs a metric that adds up, and `{metric}` is a ratio; remove it."
    if is_sum and "at_least_calls" in rule:
        yield (*path, "at_least_calls"), f"`at_least_calls` is for ratios, and `{metric}` is none; remove it."


def _mention_keys(path: Path, rule: Entry) -> Found:
    """Nobody would be mentioned: without `mention`, or where it begins above the highest level."""
    if "mention_from" in rule and "mention" not in rule:
        yield (*path, "mention_from"), '`mention_from` needs people to mention; add `mention: ["@here"]`, or remove it.'
    if "mention" not in rule or "threshold" not in rule or "then_every" in rule:
        return
    levels, start = _percents(rule.get("alert_at", ["100%"])), _percents([rule.get("mention_from", "100%")])
    if levels and start and start[0] > levels[-1]:
        highest = f"{levels[-1].normalize():f}%"
        yield (
            (*path, "mention_from" if "mention_from" in rule else "mention"),
            f"Mentions begin at {start[0].normalize():f}%, above the highest level; write `mention_from: {highest}`.",
        )


def _percents(written: Any) -> list[Decimal]:
    """The percentages in rising order; none where any is a mistake, which is reported for itself."""
    try:
        return sorted(values.percent(item) for item in written)
    except (TypeError, ValueError):
        return []


# --- Declared events -----------------------------------------------------------------------------------------------


def _by_name(rules: list[tuple[Path, Entry]]) -> dict[str, Entry]:
    """The rules by their names; the first of two with the same name."""
    named: dict[str, Entry] = {}
    for _, rule in rules:
        if name := _letters(rule.get("name")):
            named.setdefault(name, rule)
    return named


def _metrics(written: Entry) -> dict[str, Metric]:
    """What each rule with a threshold measures, as far as it can be read: the amounts of declared events need it."""
    metrics = {}
    for name, rule in _by_name(_mappings(written, "rules")).items():
        with suppress(ValueError):
            if "threshold" in rule:
                metrics[name] = values.metric(rule.get("metric", "cost"))
    return metrics


def _events(events: list[tuple[Path, Entry]], rules: dict[str, Entry]) -> Found:
    """A declared event raises the threshold of a rule that exists and has one."""
    unknown: set[str] = set()
    for path, event in events:
        name = event.get("rule")
        if not isinstance(name, str) or values.looks_blank(name):
            continue
        if rule := rules.get(name):
            yield from _raises(path, event, rule)
        else:
            unknown.add(name)
            yield (*path, "rule"), _unknown_rule(name, rules if len(unknown) <= _MAX_GUESSES else ())


def _unknown_rule(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    hint = f"did you mean {quote(near)}?" if near else "write the name of one that has `threshold`."
    return f"{quote(name)} is not a rule of this file; {hint}"


def _raises(path: Path, event: Entry, rule: Entry) -> Found:
    """The event's threshold is above the rule's own. What is a mistake in either is reported for itself."""
    name = quote(str(event["rule"]))
    if (kind := kind_of(rule)) != "threshold":
        yield (*path, "rule"), f"{name} has `{kind}` and no `threshold` to raise; name a rule that has one."
        return
    own, raised = (_amount(rule, entry.get("threshold")) for entry in (rule, event))
    if own and raised and raised <= own:
        amounts = [quote(_letters(entry["threshold"])) for entry in (event, rule)]
        yield (
            (*path, "threshold"),
            f"{amounts[0]} is not above {amounts[1]}, the threshold of {name}; write a higher amount.",
        )


def _amount(rule: Entry, written: object) -> Decimal | None:
    """An amount in the rule's metric, if both can be read."""
    try:
        return values.amount(values.metric(rule.get("metric", "cost")), written)
    except ValueError:
        return None


def _letters(value: object) -> str:
    """The letters of a scalar, quoted or not; none of a list, of keys, or where nothing stands."""
    return value.text if isinstance(value, Bare) else value if isinstance(value, str) else ""
