"""Many askers, one request; a fresh reading is reused; an API that fails is left in peace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from bot.cartesia.client import CartesiaClient
from bot.cartesia.shared import SharedReadings
from bot.errors import CartesiaError, CartesiaUnavailable, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.model import Reading, Span, Totals
from bot.windows import checked_span
from tests.samples.answers import streamed
from tests.samples.figures import span

TODAY = span("2026-11-22", "2026-11-22")
OLD = span("2025-01-01", "2025-01-31")
KEY_REFUSED = httpx.Response(401)
BROKEN = httpx.Response(503)


@dataclass
class Account:
    """A Cartesia whose answers and clock the test holds in its hands."""

    moment: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    seconds: float = 0.0
    cents: int = 100
    asked: list[httpx.Request] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    instead: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def now(self) -> datetime:
        return self.moment

    def elapsed(self) -> float:
        return self.seconds

    def pass_seconds(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds

    def leap(self, hours: float) -> None:
        """Set the clock ahead, or back, while no time passes."""
        self.moment += timedelta(hours=hours)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await self.open.wait()
        return streamed(self.instead(request) or httpx.Response(200, json={"data": self._buckets(request)}))

    def _buckets(self, request: httpx.Request) -> list[dict[str, object]]:
        first, end = (date.fromisoformat(request.url.params[name][:10]) for name in ("start_ts", "end_ts"))
        return [
            {
                "start_ts": f"{day}T00:00:00Z",
                "end_ts": f"{day + timedelta(days=1)}T00:00:00Z",
                "cents": self.cents,
                "minutes": 1,
                "calls": 1,
            }
            for day in Span(first, end).each_day()
        ]


@pytest.fixture
def account() -> Account:
    account = Account()
    account.open.set()
    return account


@pytest.fixture
async def shared(account: Account) -> AsyncIterator[SharedReadings]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(account.answer)) as http:
        client = CartesiaClient(http, "https://cartesia.example", SecretStr("sk_car_admin_x"), account.now)
        shared = SharedReadings(client, account.now, budget=0, seconds=account.elapsed)
        yield shared
        await shared.close()


def answering(response: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(response.status_code, headers=response.headers)


async def fails(shared: SharedReadings, kind: type[CartesiaError], days: Span = TODAY) -> CartesiaError:
    with pytest.raises(kind) as caught:
        await shared.read_now(days)
    return caught.value


# Sharing


async def test_many_at_once_cause_one_request(account: Account, shared: SharedReadings) -> None:
    account.open.clear()
    asking = [asyncio.create_task(shared.read(TODAY)) for _ in range(50)]
    asking += [asyncio.create_task(shared.read_now(TODAY)) for _ in range(50)]
    await asyncio.sleep(0.02)
    account.open.set()
    readings = await asyncio.gather(*asking)
    assert len(account.asked) == 1
    assert len({id(reading) for reading in readings}) == 1


async def test_a_question_waits_for_a_request_under_way_that_covers_it(
    account: Account, shared: SharedReadings
) -> None:
    account.open.clear()
    asking = [asyncio.create_task(shared.read(days)) for days in (TODAY, span("2026-11-01", "2026-11-22"))]
    await asyncio.sleep(0.02)
    account.open.set()
    await asyncio.gather(*asking)
    assert len(account.asked) == 1


@pytest.mark.parametrize("other", [503, 200], ids=["fails otherwise", "is answered"])
async def test_a_wait_that_was_asked_for_outlasts_a_request_under_way_that(
    account: Account, shared: SharedReadings, other: int
) -> None:
    account.open.clear()
    long_ago = span("2025-01-01", "2025-03-01")

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.params["start_ts"].startswith("2025-01"):
            return httpx.Response(503) if other == 503 else None
        return httpx.Response(429, headers={"Retry-After": "600"})

    account.instead = answer
    first = asyncio.create_task(shared.read_now(long_ago))
    throttled = asyncio.create_task(shared.read_now(TODAY))
    await asyncio.sleep(0.02)
    account.seconds += 1  # both are under way since before that
    account.open.set()
    with pytest.raises(Throttled):
        await throttled
    await asyncio.gather(first, return_exceptions=True)
    assert shared.asked_to_wait > 590
    asked = len(account.asked)
    with pytest.raises(Throttled):
        await shared.read_now(TODAY)
    assert len(account.asked) == asked


async def test_one_asker_who_goes_away_takes_nothing_from_the_others(account: Account, shared: SharedReadings) -> None:
    account.open.clear()
    impatient, patient = (asyncio.create_task(shared.read(TODAY)) for _ in range(2))
    await asyncio.sleep(0.02)
    impatient.cancel()
    account.open.set()
    assert (await patient).days[TODAY.start].cents == 100
    assert len(account.asked) == 1


async def test_a_question_of_recent_days_reads_everything_that_is_usually_asked(
    account: Account, shared: SharedReadings
) -> None:
    reading = await shared.read(TODAY)
    assert reading.span == checked_span(account.moment)


async def test_a_question_of_long_ago_reads_what_was_asked(account: Account, shared: SharedReadings) -> None:
    assert (await shared.read(OLD)).span == OLD


# Reusing


async def test_a_reading_younger_than_15_seconds_is_reused(account: Account, shared: SharedReadings) -> None:
    first = await shared.read(TODAY)
    account.pass_seconds(14.9)
    assert await shared.read(span("2026-11-10", "2026-11-20")) is first
    assert shared.fresh(TODAY) is first


async def test_a_reading_of_15_seconds_is_read_anew(account: Account, shared: SharedReadings) -> None:
    await shared.read(TODAY)
    account.pass_seconds(15)
    account.cents = 200
    assert shared.fresh(TODAY) is None
    assert (await shared.read(TODAY)).days[TODAY.start].cents == 200


async def test_a_fresh_reading_of_other_days_does_not_serve(account: Account, shared: SharedReadings) -> None:
    await shared.read(TODAY)
    await shared.read(OLD)
    assert len(account.asked) == 2


async def test_the_checker_always_asks(account: Account, shared: SharedReadings) -> None:
    await shared.read_now(TODAY)
    await shared.read_now(TODAY)
    assert len(account.asked) == 2


async def test_the_last_reading_serves_however_old(account: Account, shared: SharedReadings) -> None:
    first = await shared.read(TODAY)
    account.pass_seconds(6 * 3600)
    assert shared.last(TODAY) is first
    assert shared.last(OLD) is None


async def test_a_reading_from_before_a_restart_serves(account: Account, shared: SharedReadings) -> None:
    kept = Reading(checked_span(account.moment), {TODAY.start: Totals(5)}, account.moment - timedelta(hours=1))
    shared.remember(kept)
    assert shared.last(TODAY) is kept
    assert shared.fresh(TODAY) is None


async def test_readings_of_long_ago_are_not_hoarded(account: Account, shared: SharedReadings) -> None:
    await shared.read(OLD)
    account.pass_seconds(15)
    await shared.read(TODAY)
    assert shared.last(OLD) is None


@pytest.mark.parametrize("hours", [3, -3], ids=["ahead", "back"])
async def test_a_reading_grows_old_by_the_seconds_that_pass_however_the_clock_is_set(
    account: Account, shared: SharedReadings, hours: float
) -> None:
    first = await shared.read(TODAY)
    account.leap(hours)
    account.pass_seconds(14)
    assert shared.fresh(TODAY) is first
    account.pass_seconds(1)
    assert shared.fresh(TODAY) is None


async def test_the_last_reading_is_the_last_one_that_came_and_not_the_one_with_the_latest_date(
    account: Account, shared: SharedReadings
) -> None:
    await shared.read(TODAY)
    account.pass_seconds(5)
    account.leap(-14)  # the day before: what is read now does not cover what was read then
    last = await shared.read_now(span("2026-11-21", "2026-11-21"))
    assert shared.last(span("2026-11-20", "2026-11-20")) is last


# Failing


async def test_an_outage_has_a_beginning_a_reason_and_an_end(account: Account, shared: SharedReadings) -> None:
    account.instead = answering(BROKEN)
    await fails(shared, CartesiaUnavailable)
    begun = account.moment
    account.pass_seconds(300)
    await fails(shared, CartesiaUnavailable)
    assert shared.outage
    assert (shared.outage.since, shared.outage.hopeless) == (begun, False)
    assert "503" in shared.outage.why
    assert not shared.may_ask(checked_here=True)
    account.instead = lambda _: None
    await shared.read_now(TODAY)
    assert shared.outage is None
    assert shared.may_ask(checked_here=True)


async def test_where_another_process_checks_a_question_is_risked_half_a_minute_after_the_last_failure(
    account: Account, shared: SharedReadings
) -> None:
    account.instead = answering(BROKEN)
    await fails(shared, CartesiaUnavailable)
    account.pass_seconds(30)
    assert not shared.may_ask(checked_here=False)
    account.pass_seconds(1)
    assert shared.may_ask(checked_here=False)
    assert not shared.may_ask(checked_here=True)


async def test_a_failed_reading_leaves_the_last_one(account: Account, shared: SharedReadings) -> None:
    good = await shared.read(TODAY)
    account.pass_seconds(60)
    account.instead = answering(BROKEN)
    await fails(shared, CartesiaUnavailable)
    assert shared.last(TODAY) is good


async def test_every_asker_hears_of_a_failure(account: Account, shared: SharedReadings) -> None:
    account.instead = answering(BROKEN)
    outcomes = await asyncio.gather(*(shared.read(TODAY) for _ in range(10)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {CartesiaUnavailable}
    assert len(account.asked) == 1


async def test_a_refused_key_is_hopeless(account: Account, shared: SharedReadings) -> None:
    account.instead = answering(KEY_REFUSED)
    await fails(shared, KeyRefused)
    assert shared.outage
    assert shared.outage.hopeless


async def test_before_a_retry_after_has_passed_nothing_is_asked(account: Account, shared: SharedReadings) -> None:
    account.instead = answering(httpx.Response(429, headers={"Retry-After": "60"}))
    await fails(shared, Throttled)
    account.pass_seconds(59)
    error = await fails(shared, Throttled)
    assert isinstance(error, Throttled)
    assert error.retry_after == 1
    assert len(account.asked) == 1


async def test_after_the_retry_after_it_is_asked_again(account: Account, shared: SharedReadings) -> None:
    account.instead = answering(httpx.Response(429, headers={"Retry-After": "60"}))
    await fails(shared, Throttled)
    account.pass_seconds(60)
    account.instead = lambda _: None
    assert (await shared.read_now(TODAY)).days[TODAY.start].cents == 100
    assert shared.may_ask(checked_here=True)


@pytest.mark.parametrize("hours", [3, -2], ids=["ahead", "back"])
async def test_a_retry_after_lasts_as_long_as_it_says_however_the_clock_is_set(
    account: Account, shared: SharedReadings, hours: float
) -> None:
    account.instead = answering(httpx.Response(429, headers={"Retry-After": "31"}))
    await fails(shared, Throttled)
    account.leap(hours)
    account.pass_seconds(30)
    await fails(shared, Throttled)
    assert len(account.asked) == 1
    account.pass_seconds(1)
    account.instead = lambda _: None
    await shared.read_now(TODAY)
    assert len(account.asked) == 2


async def test_a_retry_after_without_end_is_asked_again_within_an_hour(
    account: Account, shared: SharedReadings
) -> None:
    account.instead = answering(httpx.Response(429, headers={"Retry-After": "9" * 400}))
    await fails(shared, Throttled)
    account.pass_seconds(3600)
    account.instead = lambda _: None
    await shared.read_now(TODAY)
    assert len(account.asked) == 2


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(httpx.Response(400), RequestRefused, id="refused"),
        pytest.param(httpx.Response(200, json={"data": []}), UnreadableAnswer, id="answered with nothing"),
    ],
)
@pytest.mark.parametrize("seen_before", [True, False], ids=["after a good reading", "at first"])
async def test_a_question_of_long_ago_that_fails_by_itself_is_no_outage(
    account: Account, shared: SharedReadings, response: httpx.Response, kind: type[CartesiaError], seen_before: bool
) -> None:
    if seen_before:
        await shared.read(TODAY)
    account.instead = lambda _: response
    await fails(shared, kind, OLD)
    assert shared.may_ask(checked_here=True)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(httpx.Response(404), RequestRefused, id="refused"),
        pytest.param(httpx.Response(200, json={"data": []}), UnreadableAnswer, id="answered with nothing"),
    ],
)
async def test_the_checkers_question_that_fails_is_an_outage_also_after_good_readings(
    account: Account, shared: SharedReadings, response: httpx.Response, kind: type[CartesiaError]
) -> None:
    await shared.read_now(TODAY)
    account.instead = lambda _: response
    await fails(shared, kind, checked_span(account.moment))
    assert shared.outage


async def test_closing_ends_what_is_under_way(account: Account, shared: SharedReadings) -> None:
    account.open.clear()
    asking = asyncio.create_task(shared.read(TODAY))
    await asyncio.sleep(0.02)
    await shared.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
