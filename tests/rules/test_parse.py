"""What a good file means, and that places and encodings are right."""

from __future__ import annotations

import re
import time as clock
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.model import Metric, Period
from bot.rules.mistakes import MAX_MISTAKES
from bot.rules.models import (
    AboveUsualRule,
    Access,
    BelowRule,
    Escalation,
    Expected,
    Level,
    Report,
    Rule,
    Rules,
    ThresholdRule,
)
from bot.rules.parse import Mistake, RulesError, decode, parse
from bot.rules.values import MOST_ENTRIES

GOOD_FILE = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
STARTER_FILE = (Path(__file__).parent.parent.parent / "rules.yaml").read_text(encoding="utf-8")
TOP = 'channel: "#voice-spend"\n'


def one_rule(*lines: str) -> Rule:
    """The only rule of a file that has these lines in it."""
    body = "".join(f"    {line}\n" for line in lines)
    (rule,) = parse(f"{TOP}rules:\n  - name: Daily spend\n{body}").rules
    return rule


def mistakes_of(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(RulesError) as caught:
        parse(text)
    return caught.value.mistakes


def test_a_file_with_every_feature_means_what_it_says() -> None:
    assert parse(GOOD_FILE) == Rules(
        channel="#voice-spend",
        operations_channel="C0123456789",
        timezone="Europe/Berlin",
        rules=(
            ThresholdRule(
                name="Daily spend",
                threshold=Decimal(125050),
                alert_at=(Decimal(80), Decimal(100), Decimal("112.5")),
                then_every=Decimal(2500),
                forecast=True,
                mention=("@here", "U0123456789", "U0000000001", "S0123456789"),
                mention_from=Decimal(80),
                remind_every=timedelta(minutes=90),
                escalate=Escalation(after=timedelta(minutes=30), channel="#finance"),
                runbook="https://example.com/spend?day=today#what-to-do",
            ),
            AboveUsualRule(
                name="Unusual day", channel="G0123456789", above_usual=Decimal("1.5"), at_least=Decimal(2000)
            ),
            ThresholdRule(
                name="Long calls",
                metric=Metric.MINUTES_PER_CALL,
                period=Period.WEEK,
                threshold=Decimal("6.5"),
                at_least_calls=50,
            ),
            ThresholdRule(
                name="Dear minutes", metric=Metric.COST_PER_MINUTE, period=Period.MONTH, threshold=Decimal("6.5")
            ),
            BelowRule(name="Phone line silent", metric=Metric.CALLS, below=Decimal(1), by=time(12)),
            ThresholdRule(name="42", metric=Metric.MINUTES, threshold=Decimal(120)),
            ThresholdRule(name='Größe: "voice" 👩\u200d🚒', metric=Metric.MINUTES, threshold=Decimal(120)),
        ),
        reports=(
            Report(name="Monday summary", schedule="0 9 * * MON", period="last week"),
            Report(name="Daily spend", schedule="30 7 * * *", period="7d", channel="#finance"),
        ),
        access=Access(editors=("admins", "U0123456789", "S0123456789"), viewers=("everyone",)),
        expected=(
            Expected(
                first=date(2026, 12, 1),
                last=date(2026, 12, 3),
                rule="Daily spend",
                threshold=Decimal(200000),
                why="product launch",
            ),
            Expected(
                first=date(2026, 12, 24),
                last=date(2026, 12, 24),
                rule="Long calls",
                threshold=Decimal("12.5"),
                why='long "thank you" calls 🎄',
            ),
        ),
    )


def test_the_starter_file_watches_a_day_and_a_month() -> None:
    daily, monthly = parse(STARTER_FILE).rules
    assert (daily.name, daily.period, monthly.period) == ("Daily spend", Period.DAY, Period.MONTH)


def test_what_the_starter_file_shows_in_comments_is_good_too() -> None:
    rules = parse(re.sub(r"^( *)# ((?: {2})?(?:- |[a-z_]+:))", r"\1\2", STARTER_FILE, flags=re.MULTILINE))
    assert [type(rule) for rule in rules.rules] == [
        ThresholdRule,
        ThresholdRule,
        AboveUsualRule,
        ThresholdRule,
        BelowRule,
    ]
    assert rules.operations_channel == "#voice-ops"
    assert [event.rule for event in rules.expected] == ["Daily spend"]


def test_a_threshold_alone_is_a_rule_on_the_daily_cost_at_100_percent() -> None:
    assert one_rule("threshold: $50") == ThresholdRule(
        name="Daily spend",
        metric=Metric.COST,
        period=Period.DAY,
        threshold=Decimal(5000),
        alert_at=(Decimal(100),),
    )


def test_levels_are_exact_amounts_in_rising_order() -> None:
    rule = one_rule("threshold: $0.50", "alert_at: [100%, 33.3%]")
    assert isinstance(rule, ThresholdRule)
    assert rule.levels == (Level(Decimal("33.3"), Decimal("16.65")), Level(Decimal(100), Decimal(50)))


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param(["threshold: $50"], ThresholdRule, id="threshold"),
        pytest.param(["above_usual: 2x"], AboveUsualRule, id="above_usual"),
        pytest.param(["below: $1", 'by: "12:00"'], BelowRule, id="below"),
    ],
)
def test_the_keys_tell_the_kind(lines: list[str], kind: type) -> None:
    assert type(one_rule(*lines)) is kind


def one_event(*rule: str, **changed: str) -> Expected:
    """The only declared event of a file with one rule that has these keys."""
    event = {"from": "2026-12-01", "to": "2026-12-03", "rule": "Daily spend", "threshold": "$200", "why": "launch"}
    keys = ", ".join(f"{key}: {value}" for key, value in (event | changed).items())
    (found,) = parse(f"{TOP}rules:\n  - {{name: Daily spend, {', '.join(rule)}}}\nexpected: [{{{keys}}}]\n").expected
    return found


@pytest.mark.parametrize(
    ("rule", "written", "meant"),
    [
        pytest.param(["threshold: $50"], "$50.01", "5001", id="cents, where the rule names no metric"),
        pytest.param(["metric: cost", "threshold: $50"], "20000 cents", "20000", id="cents"),
        pytest.param(["metric: minutes", "threshold: 120"], "1000.5 minutes", "1000.5", id="minutes"),
        pytest.param(["metric: calls", "threshold: 100"], "250 calls", "250", id="calls"),
        pytest.param(["metric: cost_per_minute", "threshold: 6.5 cents"], "$0.0651", "6.51", id="cents a minute"),
    ],
)
def test_the_threshold_of_an_event_is_in_the_unit_of_its_rules_metric(
    rule: list[str], written: str, meant: str
) -> None:
    assert one_event(*rule, threshold=written).threshold == Decimal(meant)


@pytest.mark.parametrize("quotes", ["", '"', "'"], ids=["bare", "double quotes", "single quotes"])
def test_a_day_may_stand_with_or_without_quotes(quotes: str) -> None:
    event = one_event("threshold: $50", to=f"{quotes}2026-12-31{quotes}")
    assert (event.first, event.last) == (date(2026, 12, 1), date(2026, 12, 31))


def test_an_event_may_last_one_day_and_up_to_366() -> None:
    assert one_event("threshold: $50", to="2026-12-01").last == date(2026, 12, 1)
    assert one_event("threshold: $50", to="2027-12-01").last == date(2027, 12, 1)


def test_an_event_that_names_the_first_of_two_rules_with_one_name_is_judged_by_that_one() -> None:
    rules = "  - {name: a, metric: calls, threshold: 5}\n  - {name: a, threshold: $500}\n"
    event = "  - {from: 2026-12-01, to: 2026-12-01, rule: a, threshold: 6, why: launch}\n"
    (mistake,) = mistakes_of(f"{TOP}rules:\n{rules}expected:\n{event}")
    assert mistake.message == "Another of the rules above is called `a`; give each its own name."


def test_only_so_many_misspelt_rules_of_events_are_guessed() -> None:
    events = "".join(
        f"  - {{from: 2026-12-01, to: 2026-12-01, rule: Dayly spend {number}, threshold: $60, why: launch}}\n"
        for number in range(30)
    )
    found = mistakes_of(f"{TOP}rules:\n  - {{name: Daily spend, threshold: $50}}\nexpected:\n{events}")
    assert [mistake.message.endswith("did you mean `Daily spend`?") for mistake in found] == [True] * 20 + [False] * 10


@pytest.mark.parametrize("viewers", ["everyone", "[everyone]"])
def test_viewers_may_be_everyone_with_or_without_brackets(viewers: str) -> None:
    assert parse(f"{TOP}rules: []\naccess: {{viewers: {viewers}}}\n").access.viewers == ("everyone",)


def test_without_access_admins_edit_and_everyone_asks() -> None:
    assert parse(f"{TOP}rules: []\n").access == Access(editors=("admins",), viewers=("everyone",))


def test_a_file_without_rules_and_reports_needs_no_channel() -> None:
    assert parse("rules: []\n").channel is None


def test_the_operations_channel_is_the_channel_unless_it_is_named() -> None:
    assert parse(f"{TOP}rules: []\n").operations_channel == "#voice-spend"


def test_a_rule_goes_to_its_own_channel_first() -> None:
    rules = parse(GOOD_FILE)
    assert [rules.channel_of(rule) for rule in rules.rules[:2]] == ["#voice-spend", "G0123456789"]
    assert [rules.channel_of(report) for report in rules.reports] == ["#voice-spend", "#finance"]


@pytest.mark.parametrize(
    "changed",
    [GOOD_FILE.replace("\n", "\r\n"), "\ufeff" + GOOD_FILE, "---\n" + GOOD_FILE + "...\n"],
    ids=["Windows line ends", "byte order mark", "document marks"],
)
def test_what_editors_add_changes_nothing(changed: str) -> None:
    assert parse(changed) == parse(GOOD_FILE)


def test_mistakes_are_listed_in_the_order_of_their_places() -> None:
    found = mistakes_of(f"{TOP}oops: 1\nrules:\n  - {{threshold: 5, name: 7}}\naccess: 1\n")
    assert [(mistake.line, mistake.column) for mistake in found] == [(2, 1), (4, 17), (4, 26), (5, 9)]


def test_a_mistake_is_written_as_compilers_do() -> None:
    (mistake,) = mistakes_of(f"{TOP}rules: []\noops: 1\n")
    assert mistake.format("my.yaml").startswith("my.yaml:3:1: `oops` is not a key here;")


def test_the_error_as_text_lists_every_mistake() -> None:
    error = RulesError((Mistake(1, 2, "One."), Mistake(3, 4, "Two.")))
    assert isinstance(error, BotError)
    assert str(error) == "rules.yaml:1:2: One.\nrules.yaml:3:4: Two."


def test_a_mistake_behind_an_alias_is_shown_where_it_is_written() -> None:
    (mistake,) = set(mistakes_of(f"{TOP}rules:\n  - {{name: a, threshold: &b 50}}\n  - {{name: b, threshold: *b}}\n"))
    assert (mistake.line, mistake.column) == (3, 26)


def test_bytes_that_are_not_utf_8_are_refused_at_their_place() -> None:
    with pytest.raises(RulesError) as caught:
        decode("channel: x\r\nü".encode() + b"\xff")
    assert caught.value.mistakes == (Mistake(2, 2, "The file is not UTF-8 text here; save it again as UTF-8."),)


def test_utf_8_bytes_lose_their_byte_order_mark() -> None:
    assert decode(b"\xef\xbb\xbfa: 1") == "a: 1"


def test_a_file_of_more_than_256_kib_is_refused() -> None:
    (mistake,) = mistakes_of("#" * (256 * 1024 + 1))
    assert mistake.message == "The file is larger than 256 KiB; make it smaller."


def test_a_file_of_a_thousand_rules_is_read_in_about_a_second() -> None:
    rest = "alert_at: [80%, 100%], mention: ['@here'], channel: '#a', escalate: {after: 1h, channel: '#b'}"
    lines = "".join(f"  - {{name: Rule {number}, threshold: $50, {rest}}}\n" for number in range(1000))
    begun = clock.thread_time()
    assert len(parse(f"{TOP}rules:\n{lines}").rules) == 1000
    assert clock.thread_time() - begun < 4


@pytest.mark.parametrize("key", MOST_ENTRIES)
def test_every_list_has_a_bound_that_its_mistake_says(key: str) -> None:
    most = MOST_ENTRIES[key]
    for entries, said in ((most + 1, f"{most + 1:,}"), (5_000, "more than 2,000")):
        (mistake,) = mistakes_of(a_list_of(key, entries))
        assert mistake.message == f"This list has {said} entries, and {most:,} are the most; shorten it."
    assert not any("are the most" in mistake.message for mistake in mistakes_of(a_list_of(key, most)))


def a_list_of(key: str, entries: int) -> str:
    written = f"{key}: [{','.join(['x'] * entries)}]"
    if key in ("alert_at", "mention"):
        return f"{TOP}rules: [{{name: a, threshold: $5, {written}}}]\n"
    if key in ("editors", "viewers"):
        return f"{TOP}rules: []\naccess: {{{written}}}\n"
    return f"{TOP}{written}\n" + ("rules: []\n" if key != "rules" else "")


@pytest.mark.parametrize(
    "crowded",
    [
        pytest.param("".join(f"k{number}: 1\n" for number in range(25_000)), id="different keys at the top"),
        pytest.param("rules: [{" + ",".join(f"k{number}: 1" for number in range(20_000)) + "}]", id="in a rule"),
        pytest.param("rules: [" + "{a: 1, a: 1}," * 15_000 + "]", id="keys written twice"),
        pytest.param("rules: [" + "!a 1," * 40_000 + "]", id="tags"),
        pytest.param("".join(f"k{number}: [" + "!a 1," * 999 + "]\n" for number in range(49)), id="tags in many lists"),
        pytest.param(
            "rules:\n" + "".join(f"- {{name: r, threshold: 5, metric: c{number}}}\n" for number in range(999)),
            id="mistakes in every value",
        ),
        pytest.param("rules:\n" + "- {nama: 1, thresh: 2, mentian: 3, met: 4}\n" * 999, id="misspelt keys everywhere"),
    ],
)
def test_a_crowded_file_is_refused_soon_and_in_few_words(crowded: str) -> None:
    assert len(crowded) <= 256 * 1024
    begun = clock.thread_time()
    mistakes = mistakes_of(TOP + crowded)
    assert clock.thread_time() - begun < 4
    assert 1 <= len(mistakes) <= MAX_MISTAKES
    assert mistakes == tuple(sorted(mistakes))


def test_of_hundreds_of_mistakes_the_first_are_told_and_that_there_are_more() -> None:
    *first, last = mistakes_of(f"{TOP}rules:\n" + "".join(f"  - {{name: {at}}}\n" for at in range(300)))
    assert len(first) == MAX_MISTAKES - 1
    assert last.message == "From here on there are further mistakes; mend the 99 before first."
