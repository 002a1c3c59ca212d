"""The simulated Cartesia keeps to the published description of `GET /usage/agents`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from ruamel.yaml import YAML

from bot.sandbox.cartesia import SimulatedCartesia
from bot.sandbox.faults import Fault
from tests.sandbox.conftest import Clock

DESCRIPTION = Path(__file__).parents[1] / "samples" / "cartesia-usage-agents.openapi.yaml"


async def get(cartesia: SimulatedCartesia, headers: dict[str, str] | None = None, **params: str) -> httpx.Response:
    sent = {"Cartesia-Version": "2026-03-01", "Authorization": f"Bearer {cartesia.admin_key}"} | (headers or {})
    async with httpx.AsyncClient(timeout=10) as client:
        kept = {name: value for name, value in sent.items() if value}
        return await client.get(f"{cartesia.url}/usage/agents", params=params, headers=kept)


def starts(answer: httpx.Response) -> list[str]:
    return [bucket["start_ts"][:10] for bucket in answer.json()["data"]]


async def test_answers_a_bucket_with_the_usage_of_its_day(cartesia: SimulatedCartesia) -> None:
    cartesia.set_day(date(2026, 3, 9), cents=4210, minutes="61.5", calls=12)
    cartesia.add(date(2026, 3, 9), cents=5, minutes=1)
    answer = await get(cartesia, start_ts="2026-03-09T00:00:00Z", end_ts="2026-03-10T00:00:00Z", interval="day")
    assert answer.json() == {
        "data": [
            {
                "start_ts": "2026-03-09T00:00:00.000Z",
                "end_ts": "2026-03-10T00:00:00.000Z",
                "cents": 4215,
                "minutes": 62.5,
                "calls": 12,
            }
        ]
    }


@pytest.mark.parametrize("interval", [None, "day", "week", "month"])
async def test_answers_match_the_published_schema(cartesia: SimulatedCartesia, interval: str | None) -> None:
    cartesia.set_day(date(2026, 3, 9), cents=1, minutes=Decimal("0.1"), calls=1)
    params = {"start_ts": "2026-02-01T00:00:00Z", "end_ts": "2026-03-10T00:00:00Z"}
    params |= {"interval": interval} if interval else {}
    answer = await get(cartesia, None, **params)
    headers = {"Cartesia-Version": "2026-03-01", "Authorization": "Bearer sk_car_admin_sandbox"}
    request = MockRequest("https://api.cartesia.ai", "get", "/usage/agents", args=params, headers=headers)
    response = MockResponse(answer.content, status_code=answer.status_code, content_type="application/json")
    description = OpenAPI.from_dict(YAML(typ="safe").load(DESCRIPTION))
    description.validate_response(request, response)


async def test_days_without_usage_are_zeros(cartesia: SimulatedCartesia) -> None:
    answer = await get(cartesia, start_ts="2026-03-01T00:00:00Z", end_ts="2026-03-03T00:00:00Z", interval="day")
    assert [(b["cents"], b["minutes"], b["calls"]) for b in answer.json()["data"]] == [(0, 0, 0), (0, 0, 0)]


async def test_the_span_is_rounded_out_to_whole_utc_days(cartesia: SimulatedCartesia) -> None:
    answer = await get(cartesia, start_ts="2026-03-09T01:30:00+02:00", end_ts="2026-03-09T00:00:01Z")
    bucket = answer.json()["data"][0]
    assert (bucket["start_ts"], bucket["end_ts"]) == ("2026-03-08T00:00:00.000Z", "2026-03-10T00:00:00.000Z")


async def test_an_end_at_midnight_stays(cartesia: SimulatedCartesia) -> None:
    answer = await get(cartesia, start_ts="2026-03-08T00:00:00Z", end_ts="2026-03-09T00:00:00Z")
    assert answer.json()["data"][0]["end_ts"] == "2026-03-09T00:00:00.000Z"


async def test_without_timestamps_the_last_few_days_with_today_are_meant(cartesia: SimulatedCartesia) -> None:
    answer = await get(cartesia, interval="day")
    assert starts(answer) == ["2026-03-08", "2026-03-09", "2026-03-10"]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("day", ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]),
        ("week", ["2026-02-27", "2026-03-02"]),
        ("month", ["2026-02-27", "2026-03-01"]),
    ],
    ids=["day", "week", "month"],
)
async def test_buckets_come_in_order(cartesia: SimulatedCartesia, interval: str, expected: list[str]) -> None:
    answer = await get(cartesia, start_ts="2026-02-27T00:00:00Z", end_ts="2026-03-04T00:00:00Z", interval=interval)
    assert starts(answer) == expected


async def test_a_bucket_sums_its_days(cartesia: SimulatedCartesia) -> None:
    for day in (1, 2, 3):
        cartesia.set_day(date(2026, 3, day), cents=100, minutes="1.1", calls=2)
    bucket = (await get(cartesia, start_ts="2026-03-01T00:00:00Z", end_ts="2026-03-03T00:00:00Z")).json()["data"][0]
    assert (bucket["cents"], bucket["minutes"], bucket["calls"]) == (200, 2.2, 4)


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 200),
        ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", 200),
        ("2025-01-01T00:00:00Z", "2026-01-01T00:00:01Z", 400),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", 400),
        ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", 400),
        ("2026-03-01T00:00:00", "2026-03-02T00:00:00Z", 400),
        ("2026-03-01", "2026-03-02T00:00:00Z", 400),
        ("2026-03-01T00:00:00 02:00", "2026-03-02T00:00:00Z", 400),
        ("2026-02-30T00:00:00Z", "2026-03-02T00:00:00Z", 400),
        ("yesterday", "2026-03-02T00:00:00Z", 400),
        ("0001-01-01T00:00:00+14:00", "2026-03-02T00:00:00Z", 400),
    ],
    ids=[
        "a year",
        "a leap year",
        "a second over a year",
        "nothing",
        "backwards",
        "no zone",
        "a date",
        "a plus that became a space",
        "no such day",
        "words",
        "before the calendar",
    ],
)
async def test_spans(cartesia: SimulatedCartesia, start: str, end: str, status: int) -> None:
    assert (await get(cartesia, start_ts=start, end_ts=end, interval="day")).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Cartesia-Version": ""}, 400),
        ({"Cartesia-Version": "2025-04-16"}, 400),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer sk_car_admin_other"}, 401),
        ({"Authorization": "sk_car_admin_sandbox"}, 401),
        ({"Authorization": "Bearer sk_car_ordinary"}, 403),
    ],
    ids=["no version", "old version", "no key", "wrong key", "not Bearer", "not an admin key"],
)
async def test_refuses_requests_without_the_right_headers(
    cartesia: SimulatedCartesia, headers: dict[str, str], status: int
) -> None:
    answer = await get(cartesia, headers)
    assert answer.status_code == status
    assert {"error_code", "title", "message", "request_id"} <= answer.json().keys()


async def test_an_unknown_interval_is_refused(cartesia: SimulatedCartesia) -> None:
    assert (await get(cartesia, interval="hour")).json()["error_code"] == "invalid_interval"


async def test_an_unknown_path_is_a_json_404(cartesia: SimulatedCartesia) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{cartesia.url}/usage/credits")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found")


async def test_requests_are_recorded_without_the_key(cartesia: SimulatedCartesia, clock: Clock) -> None:
    await get(cartesia, interval="day")
    request = cartesia.requests[0]
    assert (request.at, request.params, request.status) == (clock.moment, {"interval": "day"}, 200)
    assert cartesia.admin_key not in repr(request)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", status=503), lambda answer: answer.status_code == 503 and answer.json()["title"]),
        (Fault("status", status=429, retry_after=7), lambda answer: answer.headers["Retry-After"] == "7"),
        (Fault("refuse", status=403, error="forbidden"), lambda answer: answer.json()["error_code"] == "forbidden"),
        (Fault("garbage", body="<html>"), lambda answer: answer.status_code == 200 and answer.text == "<html>"),
        (Fault("slow", seconds=0.05), lambda answer: answer.status_code == 200),
    ],
    ids=["503", "429", "refuse", "garbage", "slow"],
)
async def test_a_fault_strikes_once(
    cartesia: SimulatedCartesia, fault: Fault, expected: Callable[[httpx.Response], Any]
) -> None:
    cartesia.faults.add("usage", fault)
    assert expected(await get(cartesia))
    assert (await get(cartesia)).status_code == 200


async def test_a_drop_breaks_the_connection(cartesia: SimulatedCartesia) -> None:
    cartesia.faults.add("usage", Fault("drop"))
    with pytest.raises(httpx.TransportError):
        await get(cartesia)
    assert cartesia.requests[0].status is None


async def test_stopping_does_not_wait_for_a_hanging_request(clock: Clock) -> None:
    async with SimulatedCartesia(clock.now) as cartesia:
        cartesia.faults.add("usage", Fault("hang"))
        asked = asyncio.create_task(get(cartesia))
        await cartesia.arrived(1)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    with pytest.raises(httpx.TransportError):
        await asked


async def test_it_comes_back_on_the_same_port(cartesia: SimulatedCartesia) -> None:
    before = cartesia.url
    await cartesia.stop()
    with pytest.raises(httpx.ConnectError):
        await get(cartesia)
    await cartesia.start()
    assert cartesia.url == before
    assert (await get(cartesia)).status_code == 200
