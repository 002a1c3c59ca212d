"""Cartesia's answers: whatever comes, packed or not, is days or a CartesiaError whose text is fit to be shown."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime

from bot.cartesia.protocol import MOST_BYTES, parse_response, unpacked
from bot.errors import CartesiaError
from bot.model import Span

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPAN = Span(date(2026, 3, 1), date(2026, 3, 3))
STATUSES = (200, 200, 200, 302, 401, 403, 404, 429, 500, 503)
ENCODINGS = ("", "", "gzip", "br")
LONGEST = 1_000  # characters of what a person is shown

_DAY = b'{"start_ts":"2026-03-01T00:00:00Z","end_ts":"2026-03-02T00:00:00Z","cents":4210,"minutes":61.5,"calls":12}'
_NEXT = b'{"start_ts":"2026-03-02T00:00:00Z","end_ts":"2026-03-03T00:00:00+00:00","cents":-1,"minutes":1e3,"calls":0}'
_ERROR = b'{"title":"Too many","message":"sk_car_admin_abc https://u:p@h","request_id":"9f6c2a1e-5d7b"}'

# The first byte chooses the status, the second the encoding; up to a line's end comes Retry-After, then the body.
SEEDS = (
    b"\0\0\n" + b'{"data":[' + _DAY + b"," + _NEXT + b"]}",
    b'\0\0\n{"data":[{"cents":1e400,"minutes":NaN,"calls":99999999999999999999}]}',
    b"\0\2\n" + gzip.compress(b'{"data":[' + _DAY + b"]}"),
    b"\0\3\n\x1b\x2f",
    b"\7\0Mon, 02 Mar 2026 12:00:45 GMT\n" + _ERROR,
    b"\7\0" + b"1e9\n" + _ERROR,
    b"\4\0\n" + _ERROR,
    b'\0\0\n{"data":[{"start_ts":"0001-01-01T00:00:00+23:59","end_ts":"9999-12-31T23:59:59-23:59"}]}',
)


@contextlib.asynccontextmanager
async def target() -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """One answer of Cartesia's, as the client hands it to the protocol."""
    yield _tried


async def _tried(given: bytes) -> None:
    chosen, rest = given[:2].ljust(2, b"\0"), given[2:]
    status, encoding = STATUSES[chosen[0] % len(STATUSES)], ENCODINGS[chosen[1] % len(ENCODINGS)]
    header, _, body = rest.partition(b"\n")
    try:
        plain = unpacked(encoding, body[:MOST_BYTES])
        days = parse_response(status, {"Retry-After": header.decode("latin-1")}, plain, SPAN, NOW)
    except CartesiaError as error:
        assert 0 < len(str(error)) < LONGEST  # noqa: PT017 what is told, if anything, is the point
    else:
        assert set(days) <= set(SPAN.each_day())
