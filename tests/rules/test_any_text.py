"""Whatever stands in the file, `parse` gives rules or mistakes that have a place: never another error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.rules.parse import Mistake, RulesError, decode, parse
from tests.rules.samples import rules_files

GOOD_FILE = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
LINES = GOOD_FILE.splitlines()
SCALARS = ["$50", "80%", "null", "true", ".nan", "-.inf", "1e999", "2026-01-01", "0x1F", "\x00", "\ufeff", "é"]
MARKS = ["\n  ", "\n    ", "- ", ": ", "<<", "*a", "&a ", "!!int ", "---\n", "...\n", "%YAML 1.1\n", *" \t\n\r\\\"'"]
KEYS = [
    "name",
    "channel",
    "mention",
    "mention_from",
    "remind_every",
    "escalate",
    "runbook",
    "metric",
    "per",
    "threshold",
]
KEYS += [
    "alert_at",
    "then_every",
    "forecast",
    "at_least_calls",
    "above_usual",
    "at_least",
    "below",
    "by",
    "schedule",
    "period",
    "from",
    "to",
    "rule",
    "why",
]
WORDS = st.sampled_from([*SCALARS, *MARKS, *KEYS, *"-:?,[]{}#&*!|>%@`~<=", "rules", "reports", "expected", "access"])


def mistakes_of(text: str) -> tuple[Mistake, ...]:
    """No mistakes where the text is a good file; fails with whatever `parse` raises beside RulesError."""
    try:
        parse(text)
    except RulesError as error:
        return error.mistakes or (Mistake(0, 0, "An error without mistakes."),)
    return ()


def gives_rules_or_mistakes(text: str) -> None:
    """Each mistake lies within the file, and is one sentence."""
    for mistake in mistakes_of(text):
        assert 1 <= mistake.line <= len(text.splitlines()) + 1
        assert mistake.column >= 1
        assert "\n" not in mistake.message
        assert mistake.message.endswith((".", "?"))


@settings(max_examples=150)
@given(st.text())
def test_any_text_gives_rules_or_mistakes(text: str) -> None:
    gives_rules_or_mistakes(text)


@settings(max_examples=100)
@given(st.binary())
def test_any_bytes_give_rules_or_mistakes(content: bytes) -> None:
    try:
        text = decode(content)
    except RulesError as error:
        text = str(error)
    gives_rules_or_mistakes(text)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=25).map("".join))
@example('a: "\\ud800"')
@example('a: "\\U00110000"')
@example("? ? ? a")
@example("&a a: *a")
@example("a: &a\nb: *a")
def test_any_yaml_like_text_gives_rules_or_mistakes(text: str) -> None:
    gives_rules_or_mistakes(text)


@settings(max_examples=100)
@given(st.integers(0, len(GOOD_FILE)), st.integers(0, 5), st.one_of(WORDS, st.text(max_size=3)))
def test_a_good_file_with_some_characters_changed_gives_rules_or_mistakes(start: int, cut: int, put: str) -> None:
    gives_rules_or_mistakes(GOOD_FILE[:start] + put + GOOD_FILE[start + cut :])


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, len(LINES)), st.integers(0, 2), st.sampled_from(LINES)), min_size=1, max_size=3)
)
def test_a_good_file_with_some_lines_changed_gives_rules_or_mistakes(changes: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for start, cut, put in changes:
        lines[start : start + cut] = [put]
    gives_rules_or_mistakes("\n".join(lines))


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["$50", "80%", "2x"])
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "channel", "after", "x"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(
    st.fixed_dictionaries(
        {"rules": st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8) | VALUES, max_size=3)},
        optional={
            "channel": VALUES,
            "timezone": VALUES,
            "reports": st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES), max_size=2) | VALUES,
            "expected": st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES), max_size=2) | VALUES,
            "access": st.dictionaries(st.sampled_from(["editors", "viewers"]), VALUES) | VALUES,
        },
    )
)
def test_any_values_under_the_right_keys_give_rules_or_mistakes(content: dict[str, object]) -> None:
    gives_rules_or_mistakes(repr(content).replace("True", "true").replace("False", "false").replace("None", "null"))


@settings(max_examples=50)
@given(rules_files())
def test_a_file_as_people_write_it_is_good(text: str) -> None:
    parse(text)


MANY_EVENTS = (
    f"rules: [{', '.join(f'{{name: r{number}, below: 1}}' for number in range(2000))}]\n"
    f"expected: [{', '.join(f'{{rule: e{number}}}' for number in range(4000))}]"
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "? " * 100_000,
        "a:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 500)),
        "-\n" * 100_000,
        "&a " * 50_000,
        "'" * 200_000,
        "rules: [{name: a, threshold: " + "9" * 100_000 + "}]",
        "rules: [{name: a, runbook: https://" + "a" * 200_000 + "<}]",
        "rules: " + "{x: 1, " * 15 + "}" * 15,
        MANY_EVENTS,
    ],
    ids=[
        "lists",
        "mappings",
        "dashes",
        "question marks",
        "indents",
        "entries",
        "anchors",
        "quotes",
        "digits",
        "letters",
        "open",
        "events",
    ],
)
@pytest.mark.timeout(10)
def test_hostile_text_is_refused_in_bounded_time(text: str) -> None:
    with pytest.raises(RulesError):
        parse(text)
