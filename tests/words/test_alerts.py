"""What alerts say, as plain text."""

from __future__ import annotations

from bot.budget.decide import decide
from bot.budget.evaluate import evaluate
from bot.budget.explain import explain
from bot.words.alerts import facts_line, first_line
from tests.samples.figures import NOON, cents, inputs, rule


def test_a_rules_name_is_said_as_it_is_written() -> None:
    read = cents(5320)
    [decision] = decide(evaluate([rule(name="R&D <all>")], inputs(read), {}, NOON), {}, NOON)
    found = explain(decision, read, {})
    assert first_line(found) == "🔴 R&D <all>: $53.20 of $50.00 (106%)"
    assert facts_line(found).startswith("Sunday 2026-11-22 (UTC)")
