"""The vendor's own OpenAPI file as the judge of what is asked and of what is understood."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from ruamel.yaml import YAML

from bot.cartesia.protocol import PATH, build_request, parse_response
from bot.errors import UnreadableAnswer
from bot.model import Span
from tests.samples.figures import days_before, span

SAMPLES = Path(__file__).parents[1] / "samples"
DESCRIPTION = OpenAPI.from_dict(YAML(typ="safe").load(SAMPLES / "cartesia-usage-agents.openapi.yaml"))
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TWO_DAYS = span("2026-03-01", "2026-03-02")


def request_for(days: Span) -> MockRequest:
    request = build_request(days)
    headers = {**request.headers, "Authorization": "Bearer sk_car_admin_example"}
    return MockRequest("https://api.cartesia.ai", "get", PATH, args=dict(request.params), headers=headers)


def described(body: bytes) -> bool:
    """Whether the file calls this body a good answer."""
    response = MockResponse(_whole(body), status_code=200, content_type="application/json")
    try:
        DESCRIPTION.validate_response(request_for(TWO_DAYS), response)
    except (OpenAPIError, ValueError):
        return False
    return True


def _whole(body: bytes) -> bytes:
    """12.0 written as 12: JSON knows one kind of number, the validator of this version of OpenAPI two."""
    plain = json.loads(body, parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text))
    return json.dumps(plain).encode()


@given(first=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(1, 365))
def test_every_request_is_valid_by_the_description(first: date, days: int) -> None:
    DESCRIPTION.validate_request(request_for(Span(first, first + timedelta(days=days))))


@pytest.mark.parametrize(
    "dropped", [pytest.param("Cartesia-Version", id="the version"), pytest.param("Authorization", id="the key")]
)
def test_the_judge_notices_a_request_without(dropped: str) -> None:
    request = build_request(TWO_DAYS)
    headers = {**request.headers, "Authorization": "Bearer sk_car_admin_example"}
    del headers[dropped]
    with pytest.raises(OpenAPIError):
        DESCRIPTION.validate_request(
            MockRequest("https://api.cartesia.ai", "get", PATH, args=dict(request.params), headers=headers)
        )


@st.composite
def daily_answers(draw: st.DrawFn) -> tuple[Span, bytes]:
    """What an account may answer, zones and number styles as the description allows them, what is taken back too."""
    over = days_before(date(2026, 3, 2), draw(st.integers(1, 30)))
    written = draw(st.sampled_from(["{}T00:00:00Z", "{}T00:00:00.000Z", "{}T00:00:00+00:00", "{}T00:00:00.000000Z"]))
    buckets = [
        {
            "start_ts": written.format(day),
            "end_ts": written.format(day + timedelta(days=1)),
            "cents": draw(st.integers(-(10**9), 10**9)),
            "minutes": draw(st.integers(-(10**6), 10**6) | st.floats(-(10**6), 10**6)),
            "calls": draw(st.integers(-(10**6), 10**6)),
        }
        for day in over.each_day()
    ]
    return over, json.dumps({"data": buckets}).encode()


@given(answer=daily_answers())
def test_daily_answers_that_the_description_allows_are_understood(answer: tuple[Span, bytes]) -> None:
    over, body = answer
    assert described(body)
    assert list(parse_response(200, {}, body, over, NOW)) == over.each_day()


ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["4210", "", "2026-03-01", []])
)


@given(key=st.sampled_from(["start_ts", "end_ts", "cents", "minutes", "calls"]), value=ODD, gone=st.booleans())
def test_what_is_understood_the_description_allows(key: str, value: Any, gone: bool) -> None:
    bucket: dict[str, Any] = {
        "start_ts": "2026-03-01T00:00:00.000Z",
        "end_ts": "2026-03-02T00:00:00.000Z",
        "cents": 4210,
        "minutes": 61.5,
        "calls": 12,
        key: value,
    }
    if gone:
        del bucket[key]
    body = json.dumps({"data": [bucket]}).encode()
    try:
        parse_response(200, {}, body, TWO_DAYS, NOW)
    except UnreadableAnswer:
        return
    assert described(body)


@pytest.mark.parametrize("sample", sorted(path.name for path in (SAMPLES / "usage_answers").glob("200_*.json")))
def test_a_sample_that_is_understood_is_one_that_the_description_allows(sample: str) -> None:
    body = (SAMPLES / "usage_answers" / sample).read_bytes()
    try:
        parse_response(200, {}, body, TWO_DAYS, NOW)
    except UnreadableAnswer:
        return
    assert described(body)
