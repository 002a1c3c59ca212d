"""Every message but alerts: Slack would take it, its text alone says it all, nothing in it can ping, it reads well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bot.budget.decide import Reason, after, decide
from bot.budget.evaluate import evaluate
from bot.budget.explain import explain
from bot.budget.history import Attempted, Recorded, Restated
from bot.budget.incident import Acknowledgement, Incident, LevelKey, Severity, Snooze
from bot.commands.all import COMMANDS
from bot.commands.answer import (
    AlertsAnswer,
    Answer,
    BudgetsAnswer,
    CheckAnswer,
    OutlookAnswer,
    ReplayedDecision,
    RestatementsAnswer,
    Snoozed,
    Sorry,
    Source,
    StatusAnswer,
    WhyAnswer,
    budgets,
    outlook,
    overview,
    summarize,
)
from bot.commands.help import help_on
from bot.commands.parse import parse_request
from bot.commands.request import Help, Summary
from bot.model import Message, Metric, Outage, Period, Reading, Span, Totals
from bot.rules.mistakes import Mistake
from bot.rules.models import AboveUsualRule, BelowRule, Rules
from bot.sandbox.slack.blocks import Surface, mistakes
from bot.slack import alerts, blocks
from bot.slack.parts import escape
from bot.windows import midnight
from tests.samples.figures import NOON, SUNDAY, days_before, inputs, reading, rule

GOLDEN = Path(__file__).parents[1] / "samples" / "messages"
NASTY = "<!channel> & *b* ```` <@U0123456789> |x"
WIDE = "語" * 80
AGES = "&<>" * 26


def usage(cents: int = 5320, day: date = SUNDAY, over: Span | None = None) -> Reading:
    """Some weeks of use; `cents` on one day."""
    over = over or days_before(SUNDAY, 70)
    days = {each: Totals(2000 + 10 * each.day, Decimal(each.day * 7) / 2, each.day) for each in over.each_day()}
    return Reading(over, {**days, day: Totals(cents, Decimal(cents) / 6, cents // 25)}, NOON)


def alert(**of_rule: Any) -> Message:
    """A breach as it is posted; `tests/slack/test_alerts.py` is about alerts."""
    read = usage()
    decision = decide(evaluate([rule(**of_rule)], inputs(read), {}, NOON), {}, NOON)[-1]
    state = after(decision, NOON)
    assert state is not None
    return alerts.in_state(alerts.base_message(explain(decision, read, {})), state, 7)


OUTAGE = Outage(NOON - timedelta(hours=1), "Cartesia is not well (503).", hopeless=False)
SOURCE = Source(NOON - timedelta(minutes=2), NOON)
MISTAKE = Mistake(41, 7, "`treshold` is not a key of a rule; write `threshold`.")
RUNBOOK = "https://example.com/what-to-do?a=1&b=2"


def answered(text: str, source: Source = SOURCE, read: Reading | None = None) -> Message:
    request = parse_request(text, SUNDAY)
    assert isinstance(request, Summary)
    return blocks.render(summarize(request, read or usage(over=days_before(SUNDAY, 366)), source))


def many(count: int, name: str = "Budget {}") -> Rules:
    kinds = list(Metric)
    made = [
        rule(name.format(place)[:80], 1 + place, metric=kinds[place % 6], period=list(Period)[place % 3])
        for place in range(count)
    ]
    return Rules(rules=tuple(made))


def checked(rules: Rules, read: Reading | None = None) -> CheckAnswer:
    return CheckAnswer(tuple(decide(evaluate(rules.rules, inputs(read or usage()), {}, NOON), {}, NOON)), SOURCE)


def watched(rules: Rules) -> BudgetsAnswer:
    return budgets(rules, usage(), SOURCE)


EVERY_KIND = Rules(
    rules=(
        rule(),
        AboveUsualRule(name=NASTY, above_usual=Decimal(2)),
        BelowRule(name="Quiet", metric=Metric.CALLS, below=Decimal(1000), by=time(9)),
    )
)
BUDGETS = Rules(
    rules=(
        rule("Over"),
        rule("Near", 6000),
        rule("On course", 6500, metric=Metric.COST, period=Period.DAY),
        rule("Well", 100_000, metric=Metric.MINUTES, period=Period.WEEK),
        rule("Monthly calls", 250, metric=Metric.CALLS, period=Period.MONTH),
    )
)


def foreseen(rules: Rules, history: bool = True) -> Message:
    """Days fill up evenly: at noon, half of a day is used."""
    read = usage() if history else reading({SUNDAY: Totals(5320, Decimal(880), 212)})
    curves = {
        day: [
            (midnight(day) + timedelta(hours=hour), Totals(each.cents * hour // 24, each.minutes * hour / 24, 0))
            for hour in range(1, 24)
        ]
        for day, each in read.days.items()
    }
    return blocks.render(outlook(rules, read, curves, SOURCE))


def incident(**state: Any) -> Incident:
    value = Fraction(5320)
    fresh = Incident(NOON, frozenset({LevelKey(Severity.OVER, Decimal(5000))}), value, NOON, value, NOON)
    return replace(fresh, **state)


DONE = Acknowledgement("U0123456789", NOON)
QUIET = Snooze("U0123456789", NOON, "the next level")
ALERTS = AlertsAnswer(
    (
        (12, incident(), alert()),
        (11, incident(acknowledged=DONE), alert(name="Other spend")),
        (10, incident(snooze=QUIET), alert(name="Calls", metric=Metric.CALLS, threshold=200)),
        (9, incident(acknowledged=DONE, closed=True), alert()),
    )
)


def restated(back: int, was: Totals, now: Totals, late: timedelta = timedelta(hours=5)) -> Restated:
    day = SUNDAY - timedelta(days=back)
    return Restated(day, was, now, midnight(day + timedelta(days=1)) + late)


BEFORE = Totals(125_000, Decimal(800), 210)
RESTATED = RestatementsAnswer(
    (
        restated(1, BEFORE, Totals(125_040, Decimal(800), 210)),
        restated(2, BEFORE, Totals(123_500, Decimal("790.5"), 209), timedelta(hours=1)),
        restated(3, BEFORE, Totals(125_000, Decimal("812.5"), 218), timedelta(days=2)),
        restated(4, BEFORE, Totals(125_001, Decimal(800), 211), timedelta(minutes=4)),
    ),
    date(2026, 9, 23),
)


def recorded(reason: Reason, headline: str, before: Incident | None = None, minutes: int = 0) -> Recorded:
    at = NOON + timedelta(minutes=minutes)
    return Recorded(at, at - timedelta(seconds=10), reason, headline, "0a1b2c", removed=False, before=before)


def attempted(action: str, state: str, attempts: int = 1, problem: str | None = None) -> Attempted:
    return Attempted("a1b2c3", action, "#voice-spend", state, attempts, problem, None)


def why(name: str = "Daily spend", decisions: int = 3, deliveries: int = 3, problem: str = "is_archived") -> WhyAnswer:
    """An alert that was raised once, as it is accounted for."""
    read, budget = usage(), rule(name)
    decision = decide(evaluate([budget], inputs(read), {}, NOON), {}, NOON)[0]
    said = [
        ReplayedDecision(recorded(Reason.CROSSED, f"🔴 {escape(name)}: $53.20 of $50.00 (106%)"), budget, decision),
        ReplayedDecision(
            recorded(Reason.REMINDER, f"🔴 {escape(name)}: $53.20 of $50.00 (106%)", incident(), 60), budget, decision
        ),
        ReplayedDecision(
            recorded(Reason.CLOSED, f"✅ {escape(name)}: $61.00 of $50.00 (122%)", incident(), 725), budget, None
        ),
        ReplayedDecision(
            recorded(Reason.CORRECTED, f"⚪ {escape(name)}: $60.00 of $50.00 (120%)", incident(), 925), None, None
        ),
    ]
    sent = [
        attempted("post", "delivered"),
        attempted("edit", "waiting", 3, "ratelimited"),
        attempted("reply", "refused", 2, problem),
    ]
    window = decision.standing.window
    return WhyAnswer(12, name, window, tuple((said * decisions)[:decisions]), tuple((sent * deliveries)[:deliveries]))


DEAF = "Slack does not take the bot token: put a new one into SLACK_BOT_TOKEN."

MESSAGES: dict[str, Callable[[], Message]] = {
    "rules with a mistake": lambda: blocks.rules_broken("rules.yaml", [MISTAKE]),
    "rules with 300 mistakes": lambda: blocks.rules_broken("rules.yaml", [MISTAKE] * 300),
    "rules with one endless mistake": lambda: blocks.rules_broken("rules.yaml", [Mistake(1, 1, "&" * 9000), MISTAKE]),
    "rules with a nasty mistake": lambda: blocks.rules_broken(NASTY, [Mistake(1, 1, NASTY)]),
    "rules mended": lambda: blocks.rules_mended("rules.yaml"),
    "blind": lambda: blocks.blind(NOON, OUTAGE.why),
    "blind for a nasty reason": lambda: blocks.blind(NOON, NASTY + " {} {0}"),
    "sees again": lambda: blocks.sees_again(NOON, NOON + timedelta(hours=2)),
    "delivered again": lambda: blocks.delivered_again(NOON, DEAF, NOON + timedelta(hours=2)),
    "delivered again after a nasty reason": lambda: blocks.delivered_again(NOON, NASTY + " {} {0}", NOON),
    "rerouted": lambda: blocks.rerouted(alert(), "#voice-spend", "the bot is not in it: invite the bot"),
    "rerouted from a nasty channel": lambda: blocks.rerouted(alert(name=NASTY), NASTY, NASTY),
    "repeated": lambda: blocks.repeated(alert(), "a1b2c3"),
    "repeated and rerouted": lambda: blocks.repeated(blocks.rerouted(alert(), "#x", "it is gone"), "a1b2c3"),
    "summary": lambda: answered("today"),
    "summary of one day by day": lambda: answered("today by day"),
    "summary of a month by week": lambda: answered("last month by week"),
    "summary of a year by day": lambda: answered("365d by day"),
    "summary of a year by month": lambda: answered("365d by month"),
    "summary of nothing": lambda: answered("365d by day", read=reading({}, over=days_before(SUNDAY, 366))),
    "summary without figures": lambda: answered("7d by day", read=reading({}, zeros=False)),
    "summary during an outage": lambda: answered("7d", Source(NOON - timedelta(days=2), NOON, OUTAGE)),
    "overview": lambda: blocks.render(overview(many(3), usage(), SOURCE)),
    "overview without use or budgets": lambda: blocks.render(overview(Rules(rules=()), reading({}), SOURCE)),
    "overview of 200 budgets": lambda: blocks.render(overview(many(200), usage(), SOURCE)),
    "no budgets": lambda: blocks.render(watched(Rules(rules=()))),
    "a budget": lambda: blocks.render(watched(many(1))),
    "200 budgets": lambda: blocks.render(watched(many(200))),
    "1,000 budgets whose names grow": lambda: blocks.render(watched(many(1000, "{} " + AGES))),
    "budgets without figures": lambda: blocks.render(budgets(many(3), reading({}, zeros=False), SOURCE)),
    "budgets of every kind": lambda: blocks.render(watched(EVERY_KIND)),
    "check of nothing": lambda: blocks.render(CheckAnswer((), SOURCE)),
    "check of 200 budgets": lambda: blocks.render(checked(many(200))),
    "check of nasty names": lambda: blocks.render(checked(many(20, "{} " + NASTY))),
    "check of every kind": lambda: blocks.render(checked(EVERY_KIND)),
    "forecast": lambda: foreseen(BUDGETS),
    "forecast without budgets": lambda: foreseen(Rules(rules=())),
    "forecast without history": lambda: foreseen(BUDGETS, history=False),
    "forecast of 200 budgets": lambda: foreseen(many(200)),
    "forecast of nasty names": lambda: foreseen(many(20, "{} " + NASTY)),
    "alerts": lambda: blocks.render(ALERTS),
    "alerts of nasty names": lambda: blocks.render(AlertsAnswer(((11, incident(), alert(name=NASTY)),) * 10)),
    "no alerts": lambda: blocks.render(AlertsAnswer(())),
    "1,000 alerts whose names grow": lambda: blocks.render(
        AlertsAnswer(((1234, incident(), alert(name=AGES)),) * 1000)
    ),
    "restatements": lambda: blocks.render(RESTATED),
    "no restatements": lambda: blocks.render(RestatementsAnswer((), date(2026, 9, 23))),
    "500 restatements": lambda: blocks.render(RestatementsAnswer(RESTATED.days * 125, date(2026, 9, 23))),
    "why": lambda: blocks.render(why()),
    "why of a nasty name": lambda: blocks.render(why(NASTY, decisions=4, problem=NASTY)),
    "why of a name that grows": lambda: blocks.render(why(AGES, decisions=300, deliveries=900)),
    "why of nothing": lambda: blocks.render(why(decisions=0, deliveries=0)),
    "snoozed": lambda: blocks.render(Snoozed(12, QUIET)),
    "snoozed until a moment": lambda: blocks.render(Snoozed(12, replace(QUIET, until=NOON))),
    "status": lambda: blocks.render(StatusAnswer(((True, "All well."), (False, NASTY)))),
    "help": lambda: blocks.render(help_on(COMMANDS)),
    "help on nonsense": lambda: blocks.render(help_on(COMMANDS, parse_help(NASTY).problem)),
    "sorry": lambda: blocks.render(Sorry("Cartesia has not answered yet: ask again in a minute.")),
    "sorry for a nasty reason": lambda: blocks.render(Sorry(NASTY)),
    "shared overview": lambda: blocks.shared(blocks.render(overview(many(3), usage(), SOURCE)), "U0123456789"),
    "shared table": lambda: blocks.shared(answered("365d by day"), "U0123456789"),
}
EVERY = pytest.mark.parametrize("made", MESSAGES.values(), ids=MESSAGES)
MAY_PING = {
    "shared overview": {"<@U0123456789>"},
    "shared table": {"<@U0123456789>"},
}


def parse_help(text: str) -> Help:
    request = parse_request(text, SUNDAY)
    assert isinstance(request, Help)
    return request


def marked_up(value: object) -> Iterator[str]:
    """Every text of the blocks in which Slack would look for mentions and links."""
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn":
            yield str(value["text"])
        for each in value.values():
            yield from marked_up(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from marked_up(each)


# What Slack takes


@EVERY
def test_slack_would_take_it(made: Callable[[], Message]) -> None:
    message = made()
    assert mistakes([dict(block) for block in message.blocks], Surface.MESSAGE) == []
    assert json.dumps(list(message.blocks), allow_nan=False)


@EVERY
def test_its_text_fits_and_is_never_empty(made: Callable[[], Message]) -> None:
    assert 1 <= len(made().text) <= 4000
    assert made().text == made().text.strip()


@pytest.mark.parametrize("name", MESSAGES)
def test_nobody_is_pinged_but_whom_the_rules_name(name: str) -> None:
    message = MESSAGES[name]()
    for text in (message.text, *marked_up(message.blocks)):
        controls = set(re.findall(r"<[^>]*>?", text))
        links = {each for each in controls if each.startswith(("<!date^", "<https://example.com/"))}
        assert controls - links <= MAY_PING.get(name, set()), text
    if name in MAY_PING:
        assert all(ping in message.text for ping in MAY_PING[name])


def charts(message: Message) -> list[Any]:
    return [block for block in message.blocks if block["type"] == "data_visualization"]


@EVERY
def test_a_chart_is_within_slacks_limits_with_a_value_for_every_label(made: Callable[[], Message]) -> None:
    for chart in charts(made()):
        labels = chart["chart"]["axis_config"]["categories"]
        assert 1 <= len(labels) == len(set(labels)) <= 20
        assert max(map(len, labels)) <= 20
        for series in chart["chart"]["series"]:
            assert 1 <= len(series["name"]) <= 20
            assert [point["label"] for point in series["data"]] == labels


# What the text alone says


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        pytest.param(
            blocks.rules_broken("rules.yaml", [MISTAKE] * 300),
            [
                "rules.yaml holds 300 mistakes. The last good rules stay in force.",
                "rules.yaml:41:7: `treshold` is not a key",
                "more.",
            ],
            id="rules with mistakes",
        ),
        pytest.param(
            blocks.blind(NOON, OUTAGE.why),
            ["blind", "since 2026-11-22 12:00 UTC", "no budget is watched", "Cartesia is not well (503)."],
            id="blind",
        ),
        pytest.param(
            blocks.sees_again(NOON, NOON + timedelta(hours=2)),
            ["from 2026-11-22 12:00 UTC to 2026-11-22 14:00 UTC"],
            id="sees again",
        ),
        pytest.param(
            blocks.delivered_again(NOON, DEAF, NOON + timedelta(hours=2)),
            ["from 2026-11-22 12:00 UTC to 2026-11-22 14:00 UTC: Slack does not take", "SLACK_BOT_TOKEN. What waited"],
            id="delivered again",
        ),
        pytest.param(
            foreseen(BUDGETS),
            [
                "🔴 Over: $53.20 of $50.00 (106%) · Sunday 2026-11-22 (UTC) · on course for $",
                "🟡 Near: $53.20 of $60.00 (88%)",
                "🟢 Well: ",
                " of 100,000 minutes (",
                "by the end of Monday 2026-11-30 UTC (",
            ],
            id="where budgets are heading",
        ),
        pytest.param(
            foreseen(BUDGETS, history=False),
            [
                "🔴 Over: $53.20 of $50.00 (106%)",
                "· too little history to say where it is heading",
            ],
            id="where nobody can tell",
        ),
        pytest.param(
            foreseen(Rules(rules=())), ["There is no budget on cost, minutes or calls"], id="nothing to foresee"
        ),
        pytest.param(
            blocks.render(ALERTS),
            [
                "Alerts, the newest first",
                "12: 🔴 Daily spend: $53.20 of $50.00 (106%) · since 2026-11-22 12:00 UTC",
                "12:00 UTC · acknowledged",
                "12:00 UTC · snoozed",
                "12:00 UTC · closed · acknowledged",
            ],
            id="the last alerts",
        ),
        pytest.param(blocks.render(AlertsAnswer(())), ["There has been no alert yet."], id="no alert yet"),
        pytest.param(
            blocks.render(RESTATED),
            [
                "Restatements since 2026-09-23",
                "Saturday 2026-11-21: was $1,250.00, now $1,250.40 (+$0.40), 5 hours after the day's end",
                "now $1,235.00 (−$15.00), 9.5 minutes less, 1 call fewer, 1 hour after the day's end",
                "$1,250.00 as before, 12.5 minutes more, 8 calls more, 48 hours after the day's end",
                "1 call more, less than an hour after the day's end",
            ],
            id="how past days moved",
        ),
        pytest.param(
            blocks.render(RestatementsAnswer((), date(2026, 9, 23))),
            ["No past day's figure has changed."],
            id="no day moved",
        ),
        pytest.param(
            blocks.render(why(decisions=4)),
            [
                "Alert 12: Daily spend, Sunday 2026-11-22 (UTC)",
                "2026-11-22 12:00 UTC CROSSED 🔴 Daily spend: $53.20 of $50.00 (106%)",
                "the rule then: cost per day, threshold $50.00: 80% = $40.00, 100% = $50.00",
                "• told before: nothing",
                "• told before: over $50.00",
                "judged again from the recorded figures: CROSSED, the same",
                "judged again from the recorded figures: CROSSED, which differs",
                "its figures are no longer kept",
                "the rule then: no longer kept",
                "post a1b2c3 to #voice-spend: delivered, 1 attempt",
                "edit a1b2c3 to #voice-spend: waiting, 3 attempts, last refusal ratelimited",
            ],
            id="why an alert was told",
        ),
        pytest.param(
            blocks.rerouted(alert(), "#voice-spend", "the bot is not in it: invite it"),
            ["#voice-spend did not take this message: the bot is not in it: invite it.", "$53.20 of $50.00 (106%)"],
            id="rerouted",
        ),
        pytest.param(blocks.repeated(alert(), "a1b2c3"), ["$53.20", "Message a1b2c3", "twice"], id="repeated"),
        pytest.param(
            answered("2026-11-16..2026-11-22 by day"),
            ["2026-11-16 to 2026-11-22: ", "2026-11-22 Sun: $53.20 · 886.7 minutes · 212 calls", "read 2 minutes ago"],
            id="a summary with its parts",
        ),
        pytest.param(
            answered("365d by day"),
            ["more.", "The table shows the last 100 of 365 days; the sum is of all.", "(11:58 UTC); days are UTC."],
            id="a long summary keeps its notes",
        ),
        pytest.param(
            blocks.render(watched(many(200))),
            ["Budgets", "Budget 0: ", "more.", "Figures read 2 minutes ago (11:58 UTC); days are UTC."],
            id="200 budgets keep the age of the figures",
        ),
        pytest.param(
            blocks.render(budgets(Rules(rules=(rule(),)), reading({}, zeros=False), SOURCE)),
            ["⚪ Daily spend: Cartesia gave no figures for it yet"],
            id="a budget without a figure",
        ),
        pytest.param(
            answered("7d", Source(NOON - timedelta(days=2), NOON, OUTAGE)),
            [
                "Figures read 2 days ago (2026-11-20 12:00 UTC); days are UTC.",
                "Newer ones can't be read since 2026-11-22 11:00 UTC: Cartesia is not well (503).",
            ],
            id="an outage",
        ),
        pytest.param(
            answered("7d by day", read=reading({}, zeros=False)),
            ["Cartesia gave no figures for 2026-11-16, 2026-11-17, 2026-11-18, 2026-11-19, 2026-11-20 and 2 more."],
            id="days without figures",
        ),
    ],
)
def test_the_text_alone_says(message: Message, parts: list[str]) -> None:
    for part in parts:
        assert part in message.text


def test_mistakes_that_do_not_fit_are_counted() -> None:
    text = blocks.rules_broken("rules.yaml", [MISTAKE] * 300).text
    shown = text.count("rules.yaml:41:7")
    assert text.endswith(f"… and {300 - shown} more.")


def test_budgets_that_do_not_fit_are_counted() -> None:
    message = blocks.render(watched(many(1000, "{} " + AGES)))
    sections = "\n".join(marked_up([block for block in message.blocks if block["type"] == "section"]))
    assert f"… and {1001 - sections.count('·') - 1} more." in sections
    assert message.blocks[-1]["type"] == "actions"


def test_the_button_shows_the_same_days_again_whenever_it_is_pressed() -> None:
    actions: Any = answered("last week by day").blocks[-1]
    assert actions["elements"][0]["value"] == "2026-11-09..2026-11-15 by day"


def test_a_shared_answer_says_who_shared_it_and_has_no_button() -> None:
    message = MESSAGES["shared table"]()
    assert message.text.endswith("Shared by <@U0123456789>")
    assert "actions" not in {block["type"] for block in message.blocks}


# How it reads


@EVERY
def test_it_reads_calmly(made: Callable[[], Message]) -> None:
    text = re.sub(r"<!(here|channel|everyone|subteam|date)", "", made().text).replace("&lt;!channel", "")
    assert "!" not in text
    assert "  " not in text
    for reason in (*Reason, "SLACK_BOT_TOKEN", "ALERT", "NAME"):
        text = text.replace(reason, "")
    assert not re.search(r"\b[A-Z]{4,}\b", text)


@EVERY
def test_every_time_has_its_zone_and_every_amount_its_cents(made: Callable[[], Message]) -> None:
    message = made()
    for text in (message.text, *marked_up(message.blocks)):
        for clock in re.finditer(r"(?<![\d:])\d\d:\d\d(?![\d:])", text):
            assert text[clock.end() :].startswith(" UTC"), text
        for amount in re.finditer(r"(?<!such as )\$[\d,.]*\d", text):
            assert re.fullmatch(r"\$\d{1,3}(,\d{3})*\.\d{2,4}", amount[0]), amount[0]


@EVERY
def test_it_has_at_most_one_marker_a_line(made: Callable[[], Message]) -> None:
    for line in made().text.splitlines():
        assert len(re.findall("[🟡🔴✅⚪🟢]", line)) <= 1


GOLDEN_MESSAGES = [
    "rules with a mistake",
    "blind",
    "sees again",
    "delivered again",
    "rerouted",
    "overview",
    "summary of a month by week",
    "check of nothing",
    "check of every kind",
    "forecast",
    "forecast without history",
    "alerts",
    "restatements",
    "why",
    "help",
]


@pytest.mark.parametrize("name", GOLDEN_MESSAGES)
def test_it_is_word_for_word_the_message_in_the_samples(name: str) -> None:
    """A change of words is made in the sample as well, where it can be read as people will."""
    message = MESSAGES[name]()
    golden = json.loads((GOLDEN / f"{name.replace(' ', '_')}.json").read_text(encoding="utf-8"))
    assert {"text": message.text.splitlines(), "blocks": json.loads(json.dumps(message.blocks))} == golden


def test_any_answer_can_be_rendered() -> None:
    answers: list[Answer] = [
        Sorry("x"),
        Snoozed(1, QUIET),
        StatusAnswer(()),
        help_on(COMMANDS),
        AlertsAnswer(()),
        why(),
    ]
    answers += [RESTATED, OutlookAnswer((), SOURCE), checked(many(1)), watched(many(1))]
    assert all(blocks.render(answer).text for answer in answers)
