"""Requests and answers of `GET /usage/agents`, without a network: recorded-like answers are files in tests/samples."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.sums import Sums
from bot.cartesia.protocol import MOST_BUCKETS, MOST_BYTES, build_request, is_retryable, parse_response, unpacked
from bot.errors import CartesiaError, CartesiaUnavailable, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.model import Reading, Span, Totals
from tests.samples.figures import days_before, span

ANSWERS = Path(__file__).parents[1] / "samples" / "usage_answers"
TWO_DAYS = span("2026-03-01", "2026-03-02")
FIRST, SECOND = TWO_DAYS.each_day()
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def parsed(sample: str, headers: Mapping[str, str] | None = None, over: Span = TWO_DAYS) -> dict[date, Totals]:
    return parse_response(int(sample[:3]), headers or {}, (ANSWERS / sample).read_bytes(), over, NOW)


# Requests


def test_a_request_asks_for_daily_buckets_from_midnight_to_midnight_utc() -> None:
    request = build_request(span("2026-02-28", "2026-03-01"))
    assert request.params == {
        "start_ts": "2026-02-28T00:00:00Z",
        "end_ts": "2026-03-02T00:00:00Z",
        "interval": "day",
    }
    assert request.headers["Cartesia-Version"] == "2026-03-01"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param("2025-03-02", "2026-03-01", id="365 days"),
        pytest.param("2024-01-01", "2024-12-31", id="the 366 days of a leap year"),
        pytest.param("2024-02-29", "2025-02-27", id="from a leap day to the day before 28 February"),
    ],
)
def test_a_year_can_be_asked_for(first: str, last: str) -> None:
    assert build_request(span(first, last)).params["start_ts"].startswith(first)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param("2025-03-01", "2026-03-01", id="a year and a day"),
        pytest.param("2024-02-29", "2025-02-28", id="from a leap day beyond 28 February"),
    ],
)
def test_more_than_a_year_is_refused_before_it_is_asked(first: str, last: str) -> None:
    with pytest.raises(ValueError, match="at most a year"):
        build_request(span(first, last))


# Answers that are read

USUAL = Totals(4210, Decimal("61.5"), 12)


@pytest.mark.parametrize(
    ("sample", "days"),
    [
        ("200_good.json", {FIRST: USUAL, SECOND: Totals()}),
        ("200_whole_floats.json", {FIRST: Totals(4210, Decimal(61), 12), SECOND: USUAL}),
        ("200_minutes_without_calls.json", {FIRST: Totals(12, Decimal("2.0000001"), 0), SECOND: USUAL}),
        ("200_credit.json", {FIRST: Totals(-250), SECOND: USUAL}),
        ("200_calls_taken_back.json", {FIRST: Totals(4210, Decimal("61.5"), -1)}),
        ("200_extra_keys.json", {FIRST: USUAL, SECOND: USUAL}),
        ("200_without_fraction.json", {FIRST: USUAL}),
        ("200_zero_offset.json", {FIRST: USUAL}),
        ("200_midnight_utc_in_other_zones.json", {FIRST: USUAL, SECOND: USUAL}),
        ("200_day_beyond_the_span.json", {FIRST: USUAL, SECOND: USUAL}),
    ],
)
def test_a_good_answer_gives_its_days(sample: str, days: dict[date, Totals]) -> None:
    assert parsed(sample) == days


def test_a_day_without_a_bucket_is_absent_and_not_zero() -> None:
    days = parsed("200_zero_offset.json")
    assert Reading(TWO_DAYS, days, NOW).missing(TWO_DAYS) == [SECOND]


# Answers that are not


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("200_truncated.json", "Invalid JSON"),
        ("200_empty_body.json", "Invalid JSON"),
        ("200_not_utf8.json", "Invalid JSON"),
        ("200_login_page.html", "Invalid JSON"),
        ("200_is_null.json", "the answer: "),
        ("200_is_a_list.json", "the answer: "),
        ("200_data_missing.json", "data: "),
        ("200_data_is_null.json", "data: "),
        ("200_cents_missing.json", "data.0.cents: "),
        ("200_cents_are_text.json", "data.0.cents: not a whole number"),
        ("200_cents_with_a_fraction.json", "data.0.cents: "),
        ("200_cents_are_true.json", "data.0.cents: not a whole number"),
        ("200_cents_are_null.json", "data.0.cents: not a whole number"),
        ("200_cents_beyond_reason.json", "data.0.cents: "),
        ("200_cents_beyond_a_float.json", "data.0.cents: "),
        ("200_minutes_not_a_number.json", "data.0.minutes: "),
        ("200_minutes_infinite.json", "data.0.minutes: "),
        ("200_minutes_are_text.json", "data.0.minutes: not a number"),
        ("200_minutes_beyond_reason.json", "data.0.minutes: "),
        ("200_calls_with_a_fraction.json", "data.0.calls: "),
        ("200_many_mistakes.json", "data.0.cents: Field required (and 6 more)"),
        ("200_without_zone.json", "data.0.start_ts: "),
        ("200_timestamp_is_a_number.json", "data.0.start_ts: "),
        ("200_weeks.json", "not in UTC days: data.0.end_ts"),
        ("200_one_bucket.json", "not in UTC days: data.0.end_ts"),
        ("200_starts_at_noon.json", "not in UTC days: data.0.start_ts"),
        ("200_days_of_berlin.json", "not in UTC days: data.0.start_ts"),
        ("200_calendars_ends.json", "not in UTC days: data.0.start_ts"),
        ("200_out_of_order.json", "out of order or tells 2026-03-01 twice, at data.1"),
        ("200_day_twice.json", "out of order or tells 2026-03-01 twice, at data.1"),
        ("200_no_buckets.json", "holds no bucket for 2026-03-01 to 2026-03-02"),
        ("200_other_days.json", "holds no bucket for 2026-03-01 to 2026-03-02"),
        ("302_moved.html", "status 302"),
    ],
)
def test_an_odd_answer_is_unreadable_and_the_error_says_where(sample: str, words: str) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        parsed(sample)
    assert words in str(caught.value)
    assert not is_retryable(caught.value)


def test_where_the_shape_is_another_the_error_says_what_to_do() -> None:
    with pytest.raises(UnreadableAnswer, match="check CARTESIA_API_URL, or look for a newer version of this bot"):
        parsed("200_login_page.html")


@pytest.mark.parametrize(
    ("sample", "kind", "words"),
    [
        ("400_range.json", RequestRefused, "Invalid time range – The window cannot span more than a year"),
        ("401_key.json", KeyRefused, "(401): Unauthorized – The API key is missing or not valid"),
        ("401_plain.txt", KeyRefused, "CARTESIA_ADMIN_API_KEY must be an admin key"),
        ("403_not_admin.json", KeyRefused, "This endpoint needs an admin API key. Create one"),
        ("403_nulls.json", KeyRefused, "(403): Forbidden here: CARTESIA_ADMIN_API_KEY"),
        ("404_path.json", RequestRefused, "check CARTESIA_API_URL"),
        ("404_plain.txt", RequestRefused, "check CARTESIA_API_URL"),
        ("422_odd.json", RequestRefused, "(422); check"),
        ("429_slow_down.json", Throttled, "slow down (429): Too many requests – Please try again later"),
        ("500_error.json", CartesiaUnavailable, "not well (500): Internal error"),
        ("502_bad_gateway.html", CartesiaUnavailable, "not well (502)."),
        ("503_empty.txt", CartesiaUnavailable, "not well (503)."),
    ],
)
def test_a_refusal_is_named_and_says_what_to_do(sample: str, kind: type[CartesiaError], words: str) -> None:
    with pytest.raises(kind) as caught:
        parsed(sample)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert is_retryable(caught.value) is (kind in (Throttled, CartesiaUnavailable))


def test_an_error_names_the_request_for_the_vendors_support() -> None:
    with pytest.raises(CartesiaUnavailable, match=r"\[request 9f6c2a1e-5d7b-4c1e-9a40-0c5a3b1c2d3e\]"):
        parsed("500_error.json")


def test_a_key_that_the_vendor_quotes_is_not_repeated() -> None:
    with pytest.raises(KeyRefused) as caught:
        parsed("401_quotes_the_key.json")
    assert "VERYSECRET" not in str(caught.value)
    assert "Invalid API key: sk_car_…" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("30", 30.0, id="seconds"),
        pytest.param(" 30 ", 30.0, id="seconds between blanks"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("1.5", 1.5, id="a fraction"),
        pytest.param("Mon, 02 Mar 2026 12:00:45 GMT", 45.0, id="a date"),
        pytest.param("Mon, 02 Mar 2026 14:00:45 +0200", 45.0, id="a date in another zone"),
        pytest.param("Mon, 02 Mar 2026 11:00:00 GMT", 0.0, id="a date gone by"),
        pytest.param("Fri, 01 Jan 2100 00:00:00 GMT", 3_600.0, id="a date in another century is not believed"),
        pytest.param("9" * 400, 3_600.0, id="more seconds than there are are not believed"),
        pytest.param("3601", 3_600.0, id="more than an hour is not believed"),
        pytest.param(f"Mon, 02 Mar {'9' * 30} 12:00:45 GMT", None, id="a year that no calendar has"),
        pytest.param("Mon, 02 Mar 2026 12:00:45 -0000", None, id="a date without a zone"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-5", None, id="a negative number"),
        pytest.param("1e3", None, id="an exponent"),
        pytest.param("٣", None, id="other digits"),
        pytest.param("", None, id="nothing"),
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_retry_after_in_seconds(name: str, header: str, seconds: float | None) -> None:
    with pytest.raises(Throttled) as caught:
        parsed("429_slow_down.json", {name: header})
    assert caught.value.retry_after == seconds


def test_a_date_to_wait_for_is_read_by_the_clock_that_wrote_it_and_not_by_ours() -> None:
    theirs = {"Date": "Mon, 02 Mar 2026 09:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 09:00:31 GMT"}
    with pytest.raises(Throttled) as caught:
        parsed("429_slow_down.json", theirs)
    assert caught.value.retry_after == 31


def test_without_the_header_retry_after_is_not_known() -> None:
    with pytest.raises(Throttled) as caught:
        parsed("429_slow_down.json")
    assert caught.value.retry_after is None


# More than any account of a year can need

DAY = b'{"start_ts":"2026-03-01T00:00:00Z","end_ts":"2026-03-02T00:00:00Z","cents":1,"minutes":1,"calls":1}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b'{"data":[' + b"{}," * (MOST_BYTES // 3 - 5) + b"{}]}", "at most 400 items", id="empty buckets"),
        pytest.param(b'{"data":[' + b"1," * 120_000 + b"1]}", "at most 400 items", id="numbers for buckets"),
        pytest.param(b'{"data":' + b"[" * (MOST_BYTES - 8), "recursion limit", id="brackets"),
        pytest.param(b'{"data":[{"cents":' + b"9" * (MOST_BYTES - 30) + b"}]}", "out of range", id="a long number"),
        pytest.param(b'{"data":[{' + b'"":1,' * 48_000 + b'"a":1}]}', "Field required", id="keys that mean nothing"),
        pytest.param(b'{"data":[],"a":["' + b"\\ud83d" * 40_000 + b'"]}', "Invalid JSON", id="halves of characters"),
    ],
)
def test_a_crowded_answer_is_judged_in_no_time(body: bytes, words: str) -> None:
    assert len(body) <= MOST_BYTES
    begun = time.thread_time()
    with pytest.raises(UnreadableAnswer) as caught:
        parse_response(200, {}, body, TWO_DAYS, NOW)
    assert time.thread_time() - begun < 0.25
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_as_many_buckets_as_a_year_and_a_little_has_are_read() -> None:
    over = days_before(SECOND, 365)
    starts = [over.end - timedelta(days=back) for back in range(MOST_BUCKETS, 0, -1)]
    assert set(parse_response(200, {}, answer_of(starts), over, NOW)) == set(over.each_day())
    with pytest.raises(UnreadableAnswer, match="at most 400 items"):
        parse_response(200, {}, answer_of([*starts, over.end]), over, NOW)


def answer_of(starts: list[date]) -> bytes:
    stamps = [(f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T00:00:00Z") for day in starts]
    figures = {"cents": 1, "minutes": 1.5, "calls": 1}
    return json.dumps({"data": [{"start_ts": start, "end_ts": end, **figures} for start, end in stamps]}).encode()


@pytest.mark.parametrize("letters", ["://a:", "xoxb-a.", "?a_token_", "a "], ids=repr)
def test_an_error_of_many_words_is_told_in_no_time_and_in_few(letters: str) -> None:
    body = json.dumps({"title": letters * (MOST_BYTES // len(letters))}).encode()
    begun = time.thread_time()
    with pytest.raises(CartesiaUnavailable) as caught:
        parse_response(500, {}, body, TWO_DAYS, NOW)
    assert time.thread_time() - begun < 0.25
    assert len(str(caught.value)) < 400


# Packed answers


def test_a_packed_answer_is_unpacked() -> None:
    assert unpacked("gzip", gzip.compress(DAY)) == unpacked("", DAY) == unpacked("identity", DAY) == DAY
    largest = bytes(MOST_BYTES)
    assert unpacked("gzip", gzip.compress(largest)) == largest


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "words"),
    [
        pytest.param("gzip", gzip.compress(bytes(MOST_BYTES + 1)), UnreadableAnswer, "larger than 250 kB", id="large"),
        pytest.param("gzip", gzip.compress(DAY)[:-4], CartesiaUnavailable, "it breaks off", id="half an answer"),
        pytest.param("gzip", DAY, CartesiaUnavailable, "it is no gzip", id="not packed at all"),
        pytest.param("gzip", b"", CartesiaUnavailable, "it breaks off", id="nothing"),
        pytest.param("br", DAY, UnreadableAnswer, "another way than the bot asked for", id="in another way"),
        pytest.param("gzip, gzip", DAY, UnreadableAnswer, "another way than the bot asked for", id="twice"),
    ],
)
def test_what_cannot_be_unpacked_is_said(encoding: str, body: bytes, kind: type[CartesiaError], words: str) -> None:
    begun = time.thread_time()
    with pytest.raises(kind, match=words):
        unpacked(encoding, body)
    assert time.thread_time() - begun < 0.1


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)
    begun = time.thread_time()
    with pytest.raises(UnreadableAnswer, match="larger than 250 kB"):
        unpacked("gzip", bomb)
    assert time.thread_time() - begun < 0.1


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["data", "start_ts", "end_ts", "cents", "minutes", "calls", "title", "message", "request_id"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    header=st.text(max_size=30),
)
def test_no_answer_whatever_breaks_the_parser(status: int, body: bytes, header: str) -> None:
    try:
        days = parse_response(status, {"Retry-After": header}, body, TWO_DAYS, NOW)
    except CartesiaError as error:
        assert str(error)  # noqa: PT017 what is raised, if anything, is the point
    else:
        assert set(days) <= set(TWO_DAYS.each_day())


BUCKETS = st.lists(
    st.none() | st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**6)), min_size=1, max_size=60
).filter(any)


@given(buckets=BUCKETS, data=st.data())
def test_sums_over_any_days_are_right_to_the_cent(
    buckets: list[tuple[int, int, int] | None], data: st.DataObject
) -> None:
    over = days_before(SECOND, len(buckets))
    body = json.dumps(
        {
            "data": [
                {
                    "start_ts": f"{day}T00:00:00.000Z",
                    "end_ts": f"{day + timedelta(days=1)}T00:00:00.000Z",
                    "cents": bucket[0],
                    "minutes": bucket[1] / 1000,
                    "calls": bucket[2],
                }
                for day, bucket in zip(over.each_day(), buckets, strict=True)
                if bucket
            ]
        }
    ).encode()
    read = Reading(over, parse_response(200, {}, body, over, NOW), NOW)
    first = data.draw(st.integers(0, len(buckets) - 1))
    last = data.draw(st.integers(first, len(buckets) - 1))
    some = Span(over.start + timedelta(days=first), over.start + timedelta(days=last + 1))
    chosen = [bucket for bucket in buckets[first : last + 1] if bucket]
    expected = Totals(
        sum(bucket[0] for bucket in chosen),
        sum((Decimal(bucket[1]) / 1000 for bucket in chosen), Decimal()),
        sum(bucket[2] for bucket in chosen),
    )
    assert Sums(read).total(some) == (expected if chosen else None)
