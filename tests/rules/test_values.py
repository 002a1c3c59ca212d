"""How each kind of value is written. The sentences about wrong ones are in the gallery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Metric
from bot.rules import values
from bot.rules.values import Bare, ScalarKind


@pytest.mark.parametrize(
    ("metric", "written", "meant"),
    [
        (Metric.COST, "$50", "5000"),
        (Metric.COST, "$ 50", "5000"),
        (Metric.COST, "$1,250.50", "125050"),
        (Metric.COST, "$1250.5", "125050"),
        (Metric.COST, "$0.01", "1"),
        (Metric.COST, "5000 cents", "5000"),
        (Metric.COST, "5,000cents", "5000"),
        (Metric.COST, "1 cent", "1"),
        (Metric.COST, "50¢", "50"),
        (Metric.COST, "$10,000,000,000", "1000000000000"),
        (Metric.COST_PER_CALL, "$0.305", "30.5"),
        (Metric.COST_PER_MINUTE, "6.5 cents", "6.5"),
        (Metric.COST_PER_MINUTE, "$0.000001", "0.0001"),
        (Metric.MINUTES, "120", "120"),
        (Metric.MINUTES, "1,200.5 minutes", "1200.5"),
        (Metric.CALLS, "1000", "1000"),
        (Metric.CALLS, "1 call", "1"),
        (Metric.CALLS, "12.0 calls", "12"),
        (Metric.MINUTES_PER_CALL, "6.5", "6.5"),
        (Metric.MINUTES_PER_CALL, "6 minutes", "6"),
    ],
)
def test_an_amount_is_in_the_unit_of_its_metric(metric: Metric, written: str, meant: str) -> None:
    assert values.amount(metric, written) == Decimal(meant)


@pytest.mark.parametrize(
    ("metric", "written"),
    [
        (Metric.COST, "50"),
        (Metric.COST, "$"),
        (Metric.COST, "$-5"),
        (Metric.COST, "$.50"),
        (Metric.COST, "$1,00"),
        (Metric.COST, "$1e3"),
        (Metric.COST, "$50 cents"),
        (Metric.COST, "$٥٠"),
        (Metric.COST, "0.5 cents"),
        (Metric.COST, "$10,000,000,000.01"),
        (Metric.COST, "$" + "9" * 500),
        (Metric.COST_PER_CALL, "0.3"),
        (Metric.COST_PER_CALL, "$0.000000001"),
        (Metric.MINUTES, "2h"),
        (Metric.MINUTES, "120 calls"),
        (Metric.MINUTES, "1_000"),
        (Metric.CALLS, "0"),
        (Metric.CALLS, "-3"),
        (Metric.CALLS, "1.5"),
        (Metric.CALLS, ".inf"),
        (Metric.MINUTES_PER_CALL, "$6"),
    ],
)
def test_other_amounts_are_refused(metric: Metric, written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.amount(metric, written)


def test_a_bare_number_for_money_is_answered_with_both_ways_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"^`12\.50` has no unit; write \$12\.50 or 1250 cents\.$"):
        values.amount(Metric.COST, Bare("12.50", ScalarKind.NUMBER))


@given(st.integers(min_value=1, max_value=10**12))
def test_every_number_of_cents_can_be_written_in_dollars_and_in_cents(cents: int) -> None:
    assert values.amount(Metric.COST, f"${cents // 100:,}.{cents % 100:02d}") == cents
    assert values.amount(Metric.COST, f"{cents} cents") == cents


@pytest.mark.parametrize(
    ("written", "meant"),
    [("80%", "80"), ("80 %", "80"), ("12.5%", "12.5"), ("33.33%", "33.33"), ("1%", "1"), ("1000%", "1000")],
)
def test_a_percentage_has_a_sign(written: str, meant: str) -> None:
    assert values.percent(written) == Decimal(meant)


@pytest.mark.parametrize(
    "written", ["80", "0.8", "%", "-5%", "0.99%", "1000.01%", "33.333%", "80 percent", "9" * 99 + "%"]
)
def test_other_percentages_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.percent(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1d 12h", timedelta(hours=36)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_length_of_time_has_units(written: str, meant: timedelta) -> None:
    assert values.duration(written) == meant


@pytest.mark.parametrize(
    "written", ["30", "m", "0s", "30min", "m30", "30m1h", "1.5h", "-1h", "367d", "999999999d", "1w"]
)
def test_other_lengths_of_time_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.duration(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("12:00", time(12)), ("9:30", time(9, 30)), ("23:59", time(23, 59)), ("00:01", time(0, 1))]
)
def test_a_time_of_day_has_hours_and_minutes(written: str, meant: time) -> None:
    assert values.time_of_day(written) == meant


@pytest.mark.parametrize("written", ["24:00", "12:60", "12", "12:0", "12:00:00", "noon", "12:00 PM", "0:00"])
def test_other_times_of_day_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.time_of_day(written)


@pytest.mark.parametrize(
    "written", ["2026-12-01", Bare("2026-12-01", ScalarKind.DATE)], ids=["in quotes", "as YAML reads it"]
)
def test_a_day_is_written_as_yaml_writes_dates(written: object) -> None:
    assert values.day(written) == date(2026, 12, 1)


@pytest.mark.parametrize(
    "written",
    [
        "1 December",
        "01-12-2026",
        "2026-12",
        "20261201",
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "٢٠٢٦-١٢-٠١",
        "today",
    ],
)
def test_other_days_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.day(written)


@pytest.mark.parametrize("written", ["2026-12-1", "2026-12-01T09:00", "2026-12-01 23:59:59Z", "2026-12-01 "])
def test_a_day_with_more_or_less_than_a_date_is_answered_with_the_date(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not written as a whole UTC day; write 2026-12-01\.$"):
        values.day(Bare(written, ScalarKind.DATE))


def test_any_day_may_be_the_last_where_the_first_is_a_mistake() -> None:
    assert values.last_day("2026-12-01", None) == date(2026, 12, 1)


@pytest.mark.parametrize(("written", "meant"), [("2x", "2"), ("1.5x", "1.5"), ("3 X", "3"), ("2×", "2")])
def test_a_multiple_has_an_x(written: str, meant: str) -> None:
    assert values.multiple(written) == Decimal(meant)


@pytest.mark.parametrize("written", ["2", "1x", "0.5x", "x2", "200%", "1001x"])
def test_other_multiples_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.multiple(written)


@pytest.mark.parametrize(
    "written", ["#voice-spend", "#größe_1", "#日本", "C0123456789", "G0123456789", "D0123456789", "U0123456789"]
)
def test_a_channel_is_a_name_or_an_id(written: str) -> None:
    assert values.channel(written) == written


@pytest.mark.parametrize(
    "written", ["voice", "#Voice", "#", "##", "#a b", "#a.b", "@ada", "c0123456789", "#" + "a" * 81]
)
def test_other_channels_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.channel(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("@here", "@here"),
        ("@channel", "@channel"),
        ("@everyone", "@everyone"),
        ("U0123456789", "U0123456789"),
        ("@U0123456789", "U0123456789"),
        ("<@W0123456789>", "W0123456789"),
        ("S0123456789", "S0123456789"),
        ("<!subteam^S0123456789>", "S0123456789"),
    ],
)
def test_a_mention_is_everybody_or_a_bare_id(written: str, meant: str) -> None:
    assert values.mention(written) == meant


@pytest.mark.parametrize(
    "written", ["@", "@a b", "#voice", "C0123456789 ", "@voice-team", "ada", "u0123456789", "@Ada."]
)
def test_a_mention_that_would_reach_nobody_is_refused_with_how_to_find_the_id(written: str) -> None:
    with pytest.raises(ValueError, match=r"mentions nobody.*Copy member ID.*Copy group ID"):
        values.mention(written)


@pytest.mark.parametrize("written", ["here", "<!here>", "@Here", "HERE", "!here"])
def test_a_mention_of_everybody_is_written_in_one_way(written: str) -> None:
    with pytest.raises(ValueError, match='write "@here" for'):
        values.mention(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("today", "today"),
        ("yesterday", "yesterday"),
        ("week", "week"),
        ("Last  Week", "last week"),
        ("month", "month"),
        ("last month", "last month"),
        ("7d", "7d"),
        ("last 30 days", "30d"),
        ("last 1 day", "1d"),
        ("365d", "365d"),
    ],
)
def test_a_report_covers_a_named_period_or_days(written: str, meant: str) -> None:
    assert values.report_period(written) == meant


@pytest.mark.parametrize("written", ["0d", "366d", "year", "last", "7", "2026-03"])
def test_other_report_periods_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"[.?]$"):
        values.report_period(written)


@pytest.mark.parametrize(
    "written", ["0 9 * * 1", "*/15 * * * *", "0  9  1,15 * *", "30 7 * JAN-JUN MON-FRI", "0 9 L * *"]
)
def test_a_schedule_is_five_fields(written: str) -> None:
    assert values.schedule(written) == " ".join(written.split())


@pytest.mark.parametrize(
    "written", ["9 * * 1", "0 0 9 * * 1", "@daily", "60 9 * * *", "0 9 * * 8", "0 9 30 2 *", "a b c d e"]
)
def test_other_schedules_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.schedule(written)


@pytest.mark.parametrize("written", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_timezone_is_an_iana_name(written: str) -> None:
    assert values.timezone(written) == written


@pytest.mark.parametrize(
    "written", ["CET+1", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/", "europe berlin", "Mars/Olympus"]
)
def test_other_timezones_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"[.?]$"):
        values.timezone(written)


@pytest.mark.parametrize(
    "written", ["https://example.com", "http://wiki/run?book=1#top", "https://user@example.com:8443/ü"]
)
def test_a_runbook_is_a_whole_web_address(written: str) -> None:
    assert values.link(written) == written


@pytest.mark.parametrize(
    "written", ["example.com", "ftp://example.com", "https://", "javascript:alert(1)", "https://a b", "https://a>|x"]
)
def test_other_runbooks_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.link(written)


@pytest.mark.parametrize(
    "written", ["a", "Größe", 'it\'s "quoted" & <b>', "👩\u200d🚒 budget", "日本", "x" * 80, "yes", "=1+1", "`*_~"]
)
def test_a_name_is_any_printable_characters(written: str) -> None:
    assert values.name(written) == written


@pytest.mark.parametrize("written", ["", " ", " a", "a ", "a\nb", "a\tb", "\u202ea", "a\u200b", "x" * 81, "x" * 9999])
def test_other_names_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        values.name(written)


@pytest.mark.parametrize(
    "read", [values.name, values.channel, values.mention, values.person, values.percent, values.duration]
)
@pytest.mark.parametrize(
    "shape", [["a"], {"a": "b"}, [], Bare("", ScalarKind.NOTHING), Bare("null", ScalarKind.NOTHING), ""]
)
def test_one_value_is_needed_where_one_is_asked_for(read: Callable[[object], object], shape: object) -> None:
    with pytest.raises(ValueError, match=r"^(Here stands|There is no value here)"):
        read(shape)


@pytest.mark.parametrize("written", ["", " ", "a ", "a\nb", "a\u200b", "x" * 81, Bare("2026", ScalarKind.NUMBER)])
def test_a_reason_is_1_to_80_printable_characters(written: object) -> None:
    assert values.why("x" * 80) == "x" * 80
    with pytest.raises(ValueError, match=r'[."]$|\.$'):
        values.why(written)


@given(st.text(max_size=90))
def test_a_quoted_text_is_short_and_on_one_line(text: str) -> None:
    quoted = values.quote(text)
    assert len(quoted) <= 62
    assert quoted.isprintable()


@pytest.mark.parametrize(
    ("word", "near"),
    [("treshold", "threshold"), ("Alert-At", "alert_at"), ("above", "above_usual"), ("zzz", None), ("x" * 9999, None)],
)
def test_the_nearest_word_is_the_one_that_was_meant(word: str, near: str | None) -> None:
    assert values.nearest(word, ["threshold", "alert_at", "above_usual"]) == near
