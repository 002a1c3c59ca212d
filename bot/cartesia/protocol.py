"""`GET /usage/agents` without I/O: a span becomes a request, an answer becomes days or a named error.

Every rule is from the vendor's API description (version 2026-03-01): days are UTC; both timestamps are always sent,
since an omitted start means "a few days"; always daily buckets, since the description does not say where weeks begin;
a span of at most a year; errors are JSON with title, message and request_id. An answer is bounded before it is looked
at: its bytes, packed and unpacked, and its buckets.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.errors import CartesiaError, CartesiaUnavailable, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.model import Span, Totals
from bot.redaction import redacted
from bot.windows import a_year_after, midnight

API_VERSION = "2026-03-01"
PATH = "/usage/agents"
KEY_PAGE = "https://play.cartesia.ai/keys/admin"
LONGEST_WAIT = 3_600.0  # seconds; a longer Retry-After is not believed
MOST_BYTES = 250_000  # of an answer, packed or not: a year of days takes about 60,000
MOST_BUCKETS = 400  # a year and a little, since no question is longer
MOST_LETTERS = 2_000  # of an error's own words that are looked at

_GZIP = 16 + zlib.MAX_WBITS

_OTHER_API = "check CARTESIA_API_URL, or look for a newer version of this bot"


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """What to ask, without the key."""

    params: Mapping[str, str]
    headers: Mapping[str, str]


def build_request(span: Span) -> UsageRequest:
    """The request for these days, in daily buckets. Raises ValueError where the span is longer than a year."""
    if span.end > a_year_after(span.start):
        raise ValueError(f"Cartesia answers for at most a year at once, not for {span.start} to {span.last}")
    return UsageRequest(
        params={"start_ts": _timestamp(span.start), "end_ts": _timestamp(span.end), "interval": "day"},
        headers={"Cartesia-Version": API_VERSION, "Accept": "application/json", "Accept-Encoding": "gzip"},
    )


def unpacked(encoding: str, body: bytes) -> bytes:
    """The body of an answer with this Content-Encoding; never more than `MOST_BYTES` of it are made.

    Raises UnreadableAnswer where there are more, or where another encoding than gzip was chosen; CartesiaUnavailable
    where it broke off or is no gzip.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise UnreadableAnswer(f"Cartesia's answer is packed in another way than the bot asked for: {_OTHER_API}.")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        plain = unpacking.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise CartesiaUnavailable("Cartesia's answer can't be unpacked: it is no gzip.") from None
    if len(plain) > MOST_BYTES:
        raise too_large()
    if not unpacking.eof:
        raise CartesiaUnavailable("Cartesia's answer can't be unpacked: it breaks off.")
    return plain


def too_large() -> UnreadableAnswer:
    """What to say of an answer that no account of a year can need."""
    most = f"{MOST_BYTES // 1000} kB"
    return UnreadableAnswer(f"Cartesia's answer is larger than {most}, far more than a year of days: {_OTHER_API}.")


def parse_response(
    status: int, headers: Mapping[str, str], body: bytes, span: Span, now: datetime
) -> dict[date, Totals]:
    """The days in this answer that lie in the span; `now` dates a Retry-After that is written as a date, where the
    answer itself does not say when it was made.

    Raises KeyRefused, RequestRefused, Throttled, CartesiaUnavailable or UnreadableAnswer.
    """
    if status != 200:
        raise _refusal(status, headers, body, now)
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        place = _first_place(error)
        raise UnreadableAnswer(f"Cartesia's answer is not the published shape ({place}): {_OTHER_API}.") from None
    return _days(answer.data, span)


def _timestamp(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _whole_number(value: object) -> object:
    """JSON Schema's integer: 12 and 12.0, but neither "12" nor true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a whole number")  # noqa: TRY004 pydantic turns a ValueError into its own error
    return value


def _plain_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 pydantic turns a ValueError into its own error
    try:
        return Decimal(repr(value))
    except ValueError:  # of more digits than Python writes out
        raise ValueError("not a number within reason") from None


class _Bucket(BaseModel):
    model_config = ConfigDict(extra="ignore")

    start_ts: Annotated[AwareDatetime, Field(strict=True)]
    end_ts: Annotated[AwareDatetime, Field(strict=True)]
    cents: Annotated[int, BeforeValidator(_whole_number), Field(ge=-(10**15), le=10**15)]
    minutes: Annotated[Decimal, BeforeValidator(_plain_number), Field(allow_inf_nan=False, ge=-(10**12), le=10**12)]
    calls: Annotated[int, BeforeValidator(_whole_number), Field(ge=-(10**15), le=10**15)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: Annotated[list[_Bucket], Field(max_length=MOST_BUCKETS)]


def _days(buckets: list[_Bucket], span: Span) -> dict[date, Totals]:
    days: dict[date, Totals] = {}
    last = date.min
    for place, bucket in enumerate(buckets):
        day = _utc_date(bucket.start_ts)
        if bucket.start_ts != midnight(day):
            raise UnreadableAnswer(f"Cartesia's answer is not in UTC days: data.{place}.start_ts is {bucket.start_ts}.")
        if bucket.end_ts - bucket.start_ts != timedelta(days=1):
            raise UnreadableAnswer(f"Cartesia's answer is not in UTC days: data.{place}.end_ts is {bucket.end_ts}.")
        if days and day <= last:
            raise UnreadableAnswer(f"Cartesia's answer is out of order or tells {day} twice, at data.{place}.")
        days[day], last = Totals(bucket.cents, bucket.minutes, bucket.calls), day
    asked_for = {day: totals for day, totals in days.items() if span.start <= day < span.end}
    if not asked_for:
        raise UnreadableAnswer(f"Cartesia's answer holds no bucket for {span.start} to {span.last}.")
    return asked_for


def _utc_date(moment: datetime) -> date:
    try:
        return moment.astimezone(UTC).date()
    except OverflowError:  # within a day of the calendar's ends
        return moment.date()


def _first_place(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "the answer"
    rest = error.error_count() - 1
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}" + (f" (and {rest} more)" if rest else "")


class _ErrorBody(BaseModel):
    model_config = ConfigDict(extra="ignore")

    title: str | None = None
    message: str | None = None
    request_id: str | None = None


def _refusal(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> CartesiaError:
    said = _said(body)
    if status in (401, 403):
        return KeyRefused(
            f"Cartesia refused the key ({status}){said}: CARTESIA_ADMIN_API_KEY must be an admin key "
            f"(sk_car_admin_…), get one at {KEY_PAGE}."
        )
    if status == 429:
        return Throttled(f"Cartesia asks to slow down (429){said}.", _retry_after(headers, now))
    if status >= 500 or status == 408:
        return CartesiaUnavailable(f"Cartesia is not well ({status}){said}.")
    if status >= 400:
        return RequestRefused(f"Cartesia refused the request ({status}){said}; check CARTESIA_API_URL.")
    return UnreadableAnswer(f"Cartesia answered with status {status}, which its API does not have: {_OTHER_API}.")


def _said(body: bytes) -> str:
    """What Cartesia itself wrote, shortened, without the key it may quote; nothing where the body is not its JSON."""
    try:
        error = _ErrorBody.model_validate_json(body)
    except ValidationError:
        return ""
    parts = (" ".join((part or "")[:MOST_LETTERS].split()).rstrip(".") for part in (error.title, error.message))
    words = redacted(" – ".join(part for part in parts if part))
    known = error.request_id and re.fullmatch(r"[\w-]{1,64}", error.request_id) and "sk_car_" not in error.request_id
    request = f" [request {error.request_id}]" if known else ""
    return f": {words[:300]}{request}" if words else request


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait (RFC 9110: a number of seconds or a date), None where absent or nonsense."""
    text = _header(headers, "retry-after")
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), LONGEST_WAIT)
    until = _date(text)
    if until is None:
        return None
    answered = _date(_header(headers, "date")) or now  # by the clock that `until` was read from: ours may be hours off
    return min(max(0.0, (until - answered).total_seconds()), LONGEST_WAIT)


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "").strip()


def _date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7); None where it is none, or names no zone."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def is_retryable(error: BaseException) -> bool:
    """Whether asking the same again may help: no answer, 5xx and 429; never another 4xx, never an odd shape."""
    return isinstance(error, CartesiaUnavailable | Throttled)
