"""Every message: Slack would take it, its text alone says it all, nothing in it can ping, and it reads well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.answer import (
    Answer,
    BudgetsAnswer,
    CheckAnswer,
    HelpAnswer,
    Sorry,
    Source,
    StatusAnswer,
    budgets,
    overview,
    summarize,
)
from bot.answers.request import Help, Summary, parse_request
from bot.budget.decide import Decision, decide
from bot.budget.evaluate import evaluate
from bot.budget.sums import Sums
from bot.model import Message, Metric, Outage, Period, Reading, Span, Totals
from bot.rules.mistakes import Mistake
from bot.rules.models import Rules, ThresholdRule, UnusualRule
from bot.sandbox.slack.blocks import Surface, mistakes
from bot.slack import blocks
from tests.samples.figures import LONG_AGO, MOMENTS, NOON, SUNDAY, days_before, reading, rule

GOLDEN = Path(__file__).parents[1] / "samples" / "messages"
NASTY = "<!channel> & *b* ```` <@U0123456789> |x"
WIDE = "語" * 80
AGES = "&<>" * 26


def usage(cents: int = 5320, day: date = SUNDAY, over: Span | None = None) -> Reading:
    """Some weeks of use; `cents` on one day."""
    over = over or days_before(SUNDAY, 70)
    days = {each: Totals(2000 + 10 * each.day, Decimal(each.day * 7) / 2, each.day) for each in over.each_day()}
    return Reading(over, {**days, day: Totals(cents, Decimal(cents) / 6, cents // 25)}, NOON)


def decision(budget: ThresholdRule, read: Reading, now: datetime = NOON, closed: bool = False) -> Decision:
    decided = decide(evaluate([budget], Sums(read), {budget.name: LONG_AGO}, now), {})
    return [each for each in decided if each.standing.closed is closed][-1]


def alert(read: Reading | None = None, closed: bool = False, **of_rule: Any) -> Message:
    read = read or usage()
    return blocks.alert(decision(rule(**of_rule), read, closed=closed), read)


LATE = usage(5320, SUNDAY - timedelta(days=1))
OUTAGE = Outage(NOON - timedelta(hours=1), NOON, "Cartesia is not well (503).", hopeless=False, not_before=None)
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


def checked(rules: Rules) -> CheckAnswer:
    return CheckAnswer(tuple(decide(evaluate(rules.rules, Sums(usage()), {}, NOON), {})), SOURCE)


def watched(rules: Rules) -> BudgetsAnswer:
    return budgets(rules, usage(), SOURCE)


UNWATCHED = Rules(rules=(UnusualRule(name=NASTY, above_usual=Decimal(2)), rule()))

MESSAGES: dict[str, Callable[[], Message]] = {
    "alert of a warning": lambda: alert(usage(4200)),
    "alert of a breach": alert,
    "alert of a breach that came late": lambda: alert(LATE, closed=True),
    "alert for a week": lambda: alert(threshold=10000, period=Period.WEEK),
    "alert for a month": lambda: alert(threshold=50000, period=Period.MONTH),
    "alert of a ratio": lambda: alert(metric=Metric.MINUTES_PER_CALL, threshold=1),
    "alert of dollars a minute": lambda: alert(metric=Metric.COST_PER_MINUTE, threshold=2),
    "alert with people and a runbook": lambda: alert(mention=("@here", "U0123456789", "S0123456789"), runbook=RUNBOOK),
    "alert with a runbook": lambda: alert(runbook=RUNBOOK),
    "alert with nothing to draw": lambda: alert(reading({SUNDAY: Totals(6000)}, over=Span(SUNDAY, date(2026, 11, 23)))),
    "alert of a nasty name": lambda: alert(name=NASTY, mention=("@here",)),
    "alert of a wide name": lambda: alert(name=WIDE),
    "alert of a name that grows when escaped": lambda: alert(name=AGES),
    "alert of an amount beyond reason": lambda: alert(usage(10**15), threshold=10**13),
    "raised": lambda: blocks.raised(decision(rule(), usage()), usage()),
    "raised with people": lambda: blocks.raised(decision(rule(mention=("@channel",)), usage()), usage()),
    "raised late, of a nasty name": lambda: blocks.raised(decision(rule(NASTY), LATE, closed=True), LATE),
    "rules with a mistake": lambda: blocks.rules_broken("rules.yaml", [MISTAKE]),
    "rules with 300 mistakes": lambda: blocks.rules_broken("rules.yaml", [MISTAKE] * 300),
    "rules with one endless mistake": lambda: blocks.rules_broken("rules.yaml", [Mistake(1, 1, "&" * 9000), MISTAKE]),
    "rules with a nasty mistake": lambda: blocks.rules_broken(NASTY, [Mistake(1, 1, NASTY)]),
    "rules mended": lambda: blocks.rules_mended("rules.yaml"),
    "blind": lambda: blocks.blind(NOON, OUTAGE.why),
    "blind for a nasty reason": lambda: blocks.blind(NOON, NASTY + " {} {0}"),
    "sees again": lambda: blocks.sees_again(NOON, NOON + timedelta(hours=2)),
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
    "budgets of a kind that is not watched": lambda: blocks.render(watched(UNWATCHED)),
    "check of nothing": lambda: blocks.render(CheckAnswer((), SOURCE)),
    "check of 200 budgets": lambda: blocks.render(checked(many(200))),
    "check of nasty names": lambda: blocks.render(checked(many(20, "{} " + NASTY))),
    "status": lambda: blocks.render(StatusAnswer(((True, "All well."), (False, NASTY)))),
    "help": lambda: blocks.render(HelpAnswer(Help())),
    "help on nonsense": lambda: blocks.render(HelpAnswer(parse_help(NASTY))),
    "sorry": lambda: blocks.render(Sorry("Cartesia has not answered yet: ask again in a minute.")),
    "sorry for a nasty reason": lambda: blocks.render(Sorry(NASTY)),
    "shared overview": lambda: blocks.shared(blocks.render(overview(many(3), usage(), SOURCE)), "U0123456789"),
    "shared table": lambda: blocks.shared(answered("365d by day"), "U0123456789"),
}
EVERY = pytest.mark.parametrize("made", MESSAGES.values(), ids=MESSAGES)
MAY_PING = {
    "alert with people and a runbook": {"<!here>", "<@U0123456789>", "<!subteam^S0123456789>"},
    "alert of a nasty name": {"<!here>"},
    "raised with people": {"<!channel>"},
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


@given(
    period=st.sampled_from(Period),
    metric=st.sampled_from(Metric),
    name=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80),
    now=MOMENTS,
    amounts=st.lists(st.integers(0, 10**12), min_size=1, max_size=80),
)
def test_slack_would_take_any_alert(
    period: Period, metric: Metric, name: str, now: datetime, amounts: list[int]
) -> None:
    over = days_before(now.date(), 80)
    days = dict(zip(reversed(over.each_day()), (Totals(n, Decimal(n) / 6, n % 97) for n in amounts), strict=False))
    read = Reading(over, days, now)
    budget = rule(name, 1, metric=metric, period=period)
    for decided in decide(evaluate([budget], Sums(read), {name: LONG_AGO}, now), {}):
        for message in (blocks.alert(decided, read), blocks.raised(decided, read)):
            assert mistakes([dict(block) for block in message.blocks], Surface.MESSAGE) == []
            assert "<" not in re.sub(r"<!date\^[^>]*>", "", message.text)
            assert 1 <= len(message.text) <= 4000


# What the text alone says


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        pytest.param(
            alert(),
            ["🔴 Daily spend", "$53.20 of $50.00 (106%)", "Sunday 2026-11-22 (UTC)", "read 12:00 UTC"],
            id="a breach",
        ),
        pytest.param(alert(usage(4200)), ["🟡 Daily spend: $42.00 of $50.00 (84%)"], id="a warning"),
        pytest.param(
            alert(LATE, closed=True),
            [
                "🔴 Daily spend: $53.20 of $50.00 (106%)",
                "Saturday 2026-11-21 (UTC)",
                "late: the day was over before the figure arrived",
                "read 2026-11-22 12:00 UTC",
            ],
            id="a late breach",
        ),
        pytest.param(
            alert(threshold=10000, period=Period.WEEK),
            ["of $100.00 (", "week of 2026-11-16 (UTC)", "read 2026-11-22 12:00 UTC"],
            id="a week",
        ),
        pytest.param(
            alert(threshold=40000, period=Period.MONTH),
            ["of $400.00 (", "November 2026 (UTC)", "read 2026-11-22 12:00 UTC"],
            id="a month",
        ),
        pytest.param(
            alert(metric=Metric.MINUTES, threshold=800), ["886.7 of 800 minutes (110%)"], id="minutes with their unit"
        ),
        pytest.param(
            alert(metric=Metric.CALLS, threshold=200), ["212 of 200 calls (106%)"], id="calls with their unit"
        ),
        pytest.param(
            alert(usage(125_050), threshold=100_000), ["$1,250.50 of $1,000.00 (125%)"], id="thousands with separators"
        ),
        pytest.param(
            alert(mention=("@here",), runbook=RUNBOOK),
            ["<!here>", "What to do: https://example.com/what-to-do?a=1&amp;b=2"],
            id="people and the runbook",
        ),
        pytest.param(
            blocks.raised(decision(rule(), usage()), usage()),
            ["🔴 Daily spend: $53.20 of $50.00 (106%)", "Sunday 2026-11-22 (UTC)"],
            id="a higher level",
        ),
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
            blocks.rerouted(alert(), "#voice-spend", "the bot is not in it: invite it"),
            ["#voice-spend did not take this message: the bot is not in it: invite it.", "$53.20 of $50.00 (106%)"],
            id="rerouted",
        ),
        pytest.param(blocks.repeated(alert(), "a1b2c3"), ["$53.20", "Message a1b2c3", "twice"], id="repeated"),
        pytest.param(
            answered("2026-11-16..2026-11-22 by day"),
            ["2026-11-16 to 2026-11-22: ", "Sun 2026-11-22: $53.20 · 886.7 minutes · 212 calls", "read 2 minutes ago"],
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


def test_a_warning_mentions_nobody_before_its_time() -> None:
    assert "<!here>" not in alert(usage(4200), mention=("@here",)).text
    assert "<!here>" in alert(usage(4200), mention=("@here",), mention_from=Decimal(80)).text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("@here", "<!here>"),
        ("@channel", "<!channel>"),
        ("@everyone", "<!everyone>"),
        ("U0123456789", "<@U0123456789>"),
        ("W0123456789", "<@W0123456789>"),
        ("S0123456789", "<!subteam^S0123456789>"),
        ("@oncall", "@oncall"),
    ],
)
def test_a_mention_is_written_as_slack_reads_it(written: str, sent: str) -> None:
    assert alert(mention=(written,)).text.splitlines()[-1] == sent


def test_mistakes_that_do_not_fit_are_counted() -> None:
    text = blocks.rules_broken("rules.yaml", [MISTAKE] * 300).text
    shown = text.count("rules.yaml:41:7")
    assert text.endswith(f"… and {300 - shown} more.")


def test_budgets_that_do_not_fit_are_counted() -> None:
    message = blocks.render(watched(many(1000, "{} " + AGES)))
    sections = "\n".join(marked_up([block for block in message.blocks if block["type"] == "section"]))
    assert f"… and {1001 - sections.count('·') - 1} more." in sections
    assert message.blocks[-1]["type"] == "actions"


def test_the_chart_shows_the_recent_days_and_the_threshold() -> None:
    [chart] = charts(alert())
    assert chart["chart"]["axis_config"]["categories"] == [f"{day:%b %d}" for day in days_before(SUNDAY, 14).each_day()]
    spent, threshold = chart["chart"]["series"]
    assert spent["data"][-1] == {"label": "Nov 22", "value": 53.2}
    assert {point["value"] for point in threshold["data"]} == {50.0}


def test_where_there_is_one_window_there_is_no_chart() -> None:
    assert charts(MESSAGES["alert with nothing to draw"]()) == []


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
    assert not re.search(
        r"\b[A-Z]{4,}\b",
        text.replace("CARTESIA", "")
        .replace("RAISED", "")
        .replace("CROSSED", "")
        .replace("BELOW", "")
        .replace("TOO_LITTLE_DATA", ""),
    )


@EVERY
def test_every_time_has_its_zone_and_every_amount_its_cents(made: Callable[[], Message]) -> None:
    message = made()
    for text in (message.text, *marked_up(message.blocks)):
        for clock in re.finditer(r"(?<![\d:])\d\d:\d\d(?![\d:])", text):
            assert text[clock.end() :].startswith(" UTC"), text
        for amount in re.finditer(r"\$[\d,.]*\d", text):
            assert re.fullmatch(r"\$\d{1,3}(,\d{3})*\.\d{2,4}", amount[0]), amount[0]


@EVERY
def test_it_has_at_most_one_marker_a_line(made: Callable[[], Message]) -> None:
    for line in made().text.splitlines():
        assert len(re.findall("[🟡🔴✅⚪🟢]", line)) <= 1


@pytest.mark.parametrize(
    "name", ["alert of a breach", "alert of a warning", "raised", "alert with people and a runbook"]
)
def test_an_alert_begins_with_what_where_and_how_much(name: str) -> None:
    assert re.fullmatch(
        r"(🔴|🟡) Daily spend: \$\d\d\.\d\d of \$50\.00 \(\d+%\)", MESSAGES[name]().text.splitlines()[0]
    )


GOLDEN_MESSAGES = [
    "alert of a breach",
    "alert of a breach that came late",
    "alert with people and a runbook",
    "raised",
    "rules with a mistake",
    "blind",
    "sees again",
    "rerouted",
    "overview",
    "summary of a month by week",
    "check of nothing",
    "help",
]


@pytest.mark.parametrize("name", GOLDEN_MESSAGES)
def test_it_is_word_for_word_the_message_in_the_samples(name: str) -> None:
    """A change of words is made in the sample as well, where it can be read as people will."""
    message = MESSAGES[name]()
    golden = json.loads((GOLDEN / f"{name.replace(' ', '_')}.json").read_text(encoding="utf-8"))
    assert {"text": message.text.splitlines(), "blocks": json.loads(json.dumps(message.blocks))} == golden


def test_any_answer_can_be_rendered() -> None:
    answers: list[Answer] = [Sorry("x"), StatusAnswer(()), HelpAnswer(Help()), checked(many(1)), watched(many(1))]
    assert all(blocks.render(answer).text for answer in answers)
