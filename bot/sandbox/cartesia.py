"""A simulated Cartesia account that answers `GET /usage/agents` as its published description says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from uuid import uuid4

from aiohttp import web

from bot.model import Period, Span, Totals
from bot.sandbox.changes import Changes
from bot.sandbox.faults import Answering, Fault, Faults, answer_under
from bot.sandbox.loopback import LoopbackServer
from bot.windows import a_year_after, midnight, windows_within

API_VERSION = "2026-03-01"
USAGE = "usage"
DEFAULT_DAYS_BEFORE_END = 3
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """One request as it arrived, and the HTTP status it was answered with (None: no answer was sent)."""

    at: datetime
    params: Mapping[str, str]
    headers: Mapping[str, str]
    status: int | None


class Refused(Exception):
    """A request the API refuses: HTTP status, error code, title and message of the JSON error."""

    def __init__(self, status: int, code: str, title: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.title = title
        self.message = message


class SimulatedCartesia(LoopbackServer):
    """One account with usage per UTC day. Attributes may be changed while it runs.

    `days` holds the usage, `admin_key` the accepted key, `requests` what arrived; `faults` take the endpoint `usage`.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        admin_key: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(host, port)
        self.now = now
        self.admin_key = admin_key or f"sk_car_admin_{token_hex(16)}"
        self.days: dict[date, Totals] = {}
        self.requests: list[UsageRequest] = []
        self.faults = Faults()
        self.changes = Changes()

    def set_day(self, day: date, cents: int = 0, minutes: Decimal | int | str = 0, calls: int = 0) -> None:
        """Let the day's usage be exactly this."""
        self.days[day] = Totals(cents, Decimal(minutes), calls)

    def add(self, day: date, cents: int = 0, minutes: Decimal | int | str = 0, calls: int = 0) -> None:
        """Let this be used on the day besides what was used already."""
        self.days[day] = self.days.get(day, Totals()) + Totals(cents, Decimal(minutes), calls)

    def total(self, span: Span) -> Totals:
        """Usage summed over the days of the span."""
        return sum((self.days[day] for day in span.each_day() if day in self.days), Totals())

    async def arrived(self, at_least: int, timeout: float = 5.0) -> list[UsageRequest]:
        """Every request so far, once there are so many; TimeoutError after `timeout` seconds."""

        def enough() -> list[UsageRequest] | None:
            return list(self.requests) if len(self.requests) >= at_least else None

        return await self.changes.until(enough, timeout, f"request {at_least}")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/usage/agents", self._answer, allow_head=False),
            web.route("*", "/{path:.*}", self._unknown_path),
        ]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next(USAGE, dict(request.query))

        async def perform() -> web.StreamResponse:
            return self._usage(request)

        arrived = self.now()
        answering = Answering(perform, refuse=_refusal_of_fault, fail=_failure_of_fault)
        place = len(self.requests)
        self.requests.append(_received(arrived, request, None))
        self.changes.note()
        response = await answer_under(fault, request, answering, self.stopping)
        gone = request.transport is None or request.transport.is_closing()
        self.requests[place] = _received(arrived, request, None if gone else response.status)
        return response

    async def _unknown_path(self, request: web.Request) -> web.StreamResponse:
        return _error(Refused(404, "not_found", "Not found", f"There is no {request.method} {request.path}."))

    def _usage(self, request: web.Request) -> web.Response:
        try:
            self._authorize(request)
            span = requested_span(request.query.get("start_ts"), request.query.get("end_ts"), self.now())
            buckets = requested_buckets(request.query.get("interval"), span)
        except Refused as refused:
            return _error(refused)
        return web.json_response({"data": [_bucket(bucket, self.total(bucket)) for bucket in buckets]})

    def _authorize(self, request: web.Request) -> None:
        """The version header is required; the key must be this account's admin key."""
        if request.headers.get("Cartesia-Version") != API_VERSION:
            raise Refused(
                400, "invalid_version", "Invalid version", f"Send the header Cartesia-Version: {API_VERSION}."
            )
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key.strip() == self.admin_key:
            return
        if key.startswith("sk_car_") and not key.startswith("sk_car_admin_"):
            raise Refused(403, "forbidden", "Forbidden", "This endpoint needs an admin API key.")
        raise Refused(401, "unauthorized", "Unauthorized", "The API key is missing or not valid.")


def requested_span(start_ts: str | None, end_ts: str | None, now: datetime) -> Span:
    """The UTC days asked for: start rounded down, end rounded up to midnight, at most a calendar year."""
    end_moment = now if end_ts is None else _moment("end_ts", end_ts)
    end = _rounded_up(end_moment)
    start_moment = midnight(end - timedelta(days=DEFAULT_DAYS_BEFORE_END))
    if start_ts is not None:
        start_moment = _moment("start_ts", start_ts)
    if start_moment >= end_moment:
        raise Refused(400, "invalid_range", "Invalid time range", "start_ts must be before end_ts.")
    start = start_moment.astimezone(UTC).date()
    if end > a_year_after(start):
        raise Refused(400, "invalid_range", "Invalid time range", "The window cannot span more than a year.")
    return Span(start, end)


def requested_buckets(interval: str | None, span: Span) -> Iterator[Span]:
    """One bucket without an interval, else one per day, week (from Monday) or month.

    The description leaves open where weeks start and whether the outer ones are cut; here the span's ends cut them.
    """
    if interval is None:
        return iter([span])
    try:
        period = Period(interval)
    except ValueError:
        raise Refused(400, "invalid_interval", "Invalid interval", "interval must be day, week or month.") from None
    windows = windows_within(period, span)
    return (Span(max(window.start, span.start), min(window.end, span.end)) for window in windows)


def _moment(name: str, text: str) -> datetime:
    """An RFC 3339 timestamp; the zone is required."""
    mistake = Refused(400, "invalid_timestamp", "Invalid timestamp", f"{name} must be RFC 3339 with a time zone.")
    if not RFC_3339.fullmatch(text):
        raise mistake
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise mistake from None


def _rounded_up(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return day if moment == midnight(day) else day + timedelta(days=1)


def _bucket(span: Span, totals: Totals) -> dict[str, str | int | float]:
    whole = totals.minutes == totals.minutes.to_integral_value()
    return {
        "start_ts": f"{span.start}T00:00:00.000Z",
        "end_ts": f"{span.end}T00:00:00.000Z",
        "cents": totals.cents,
        "minutes": int(totals.minutes) if whole else float(totals.minutes),
        "calls": totals.calls,
    }


def _received(at: datetime, request: web.Request, status: int | None) -> UsageRequest:
    headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
    return UsageRequest(at, dict(request.query), headers, status)


def _error(refused: Refused, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {
        "error_code": refused.code,
        "title": refused.title,
        "message": refused.message,
        "request_id": str(uuid4()),
        "doc_url": "https://docs.cartesia.ai/api-reference",
    }
    return web.json_response(body, status=refused.status, headers=headers)


def _refusal_of_fault(fault: Fault) -> web.Response:
    status = fault.status if 400 <= fault.status < 500 else 400
    return _error(Refused(status, fault.error, "Refused", "The request was refused."), fault.headers)


def _failure_of_fault(fault: Fault) -> web.Response:
    title = "Too many requests" if fault.status == 429 else "Internal error"
    return _error(Refused(fault.status, fault.error, title, "Please try again later."), fault.headers)
