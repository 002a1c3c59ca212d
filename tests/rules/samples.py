"""Generated rules files, good ones, as people would write them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

MONEY = st.one_of(
    st.integers(1, 10**6).map(lambda dollars: f"${dollars:,}"),
    st.integers(1, 10**6).map(lambda cents: f"{cents} cents"),
    st.integers(100, 10**6).map(lambda cents: f"${cents // 100}.{cents % 100:02d}"),
)
COUNT = st.one_of(st.integers(1, 10**6), st.integers(1, 10**6).map(lambda number: f"{number:,}"))
PERCENT = st.integers(1, 1000).map(lambda percent: f"{percent}%")
DURATION = st.builds(lambda number, unit: f"{number}{unit}", st.integers(1, 300), st.sampled_from("mhd"))
CHANNEL = st.sampled_from(["#voice-spend", "#finance", "#größe", "C0123456789", "U0123456789"])
NAME = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40).filter(
    lambda name: name == name.strip() and name.isprintable()
)
MENTIONS = st.lists(
    st.sampled_from(["@here", "@channel", "U0123456789", "<!subteam^S0123456789>"]), min_size=1, max_size=3
)
COMMON = {
    "channel": CHANNEL,
    "mention": MENTIONS,
    "remind_every": DURATION,
    "escalate": st.fixed_dictionaries({"after": DURATION, "channel": CHANNEL}),
    "runbook": st.just("https://example.com/runbook"),
}
LEVELS = st.lists(st.integers(1, 10), unique=True, max_size=3).map(
    lambda tens: [*(f"{ten * 10 - 5}%" for ten in tens), "100%"]
)

RULE = st.one_of(
    st.fixed_dictionaries(
        {"threshold": MONEY},
        optional={
            **COMMON,
            "metric": st.just("cost"),
            "per": st.sampled_from(["day", "week", "month"]),
            "alert_at": LEVELS,
            "then_every": MONEY,
            "forecast": st.booleans(),
        },
    ),
    st.fixed_dictionaries(
        {"metric": st.sampled_from(["minutes", "calls"]), "threshold": COUNT},
        optional={**COMMON, "alert_at": LEVELS, "then_every": COUNT},
    ),
    st.fixed_dictionaries(
        {"metric": st.just("cost_per_minute"), "threshold": MONEY},
        optional={**COMMON, "at_least_calls": st.integers(1, 99)},
    ),
    st.fixed_dictionaries({"above_usual": st.sampled_from(["2x", "1.5x"])}, optional={**COMMON, "at_least": MONEY}),
    st.fixed_dictionaries(
        {"metric": st.just("calls"), "below": COUNT, "by": st.sampled_from(["12:00", "9:30"])}, optional=COMMON
    ),
)
REPORT = st.fixed_dictionaries(
    {
        "schedule": st.sampled_from(["0 9 * * 1", "*/5 8-18 * * MON-FRI"]),
        "period": st.sampled_from(["today", "last week", "7d", "last 30 days"]),
    },
    optional={"channel": CHANNEL},
)
EVENT = st.builds(
    lambda first, days, why: {"from": str(first), "to": str(first + timedelta(days=days)), "why": why},
    st.dates(min_value=date(2023, 1, 1), max_value=date(2030, 1, 1)),
    st.integers(0, 365),
    NAME,
)
ABOVE = {"cost": "$9,000,000", "cost_per_minute": "$9,000,000", "minutes": "9,000,000", "calls": "9000000 calls"}
"""Above any threshold of the rules here."""

PEOPLE = st.lists(st.sampled_from(["admins", "U0123456789", "S0123456789"]), max_size=3)


def _named(entries: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    pairs = st.lists(st.tuples(NAME, entries), max_size=4, unique_by=lambda pair: pair[0])
    return pairs.map(lambda found: [{"name": name, **entry} for name, entry in found])


def rules_files() -> st.SearchStrategy[str]:
    """Good files in YAML's flow style, where the writer's quotes leave no doubt."""
    contents = st.fixed_dictionaries(
        {"channel": CHANNEL, "rules": _named(RULE)},
        optional={
            "operations_channel": CHANNEL,
            "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
            "reports": _named(REPORT),
            "access": st.fixed_dictionaries(
                {}, optional={"editors": PEOPLE, "viewers": st.one_of(st.just("everyone"), PEOPLE)}
            ),
        },
    )
    with_events = st.builds(_with_events, contents, st.lists(EVENT, max_size=3))
    return with_events.map(lambda content: json.dumps(content, ensure_ascii=False, indent=1))


def _with_events(content: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """The file with an event for each of its first rules that have a threshold."""
    budgets = [rule for rule in content["rules"] if "threshold" in rule]
    pairs = zip(budgets, events, strict=False)
    expected = [event | {"rule": rule["name"], "threshold": ABOVE[rule.get("metric", "cost")]} for rule, event in pairs]
    return content | ({"expected": expected} if expected else {})
