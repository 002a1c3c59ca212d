"""The network around the protocol: httpx to ask, tenacity to ask again where that may help."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import httpx
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from bot.cartesia.protocol import MOST_BYTES, PATH, build_request, is_retryable, parse_response, too_large, unpacked
from bot.clock import elapsed
from bot.errors import CartesiaError, CartesiaUnavailable, CertificateUntrusted, Throttled
from bot.logs import ends, repeats
from bot.model import Reading, Span
from bot.system.network import untrusted
from bot.system.waiting import sleep

_TOPIC = "asking Cartesia"
TIMEOUT = 10.0  # seconds for one call

log = logging.getLogger(__name__)


class CartesiaClient:
    """Reads usage over `http`, which carries no base address and no key of its own."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, key: SecretStr, now: Callable[[], datetime]) -> None:
        self._http = http
        self._url = base_url.rstrip("/") + PATH
        self._key = key
        self._now = now

    async def read(self, span: Span, budget: float, failed: Callable[[CartesiaError], None]) -> Reading:
        """The usage of these days. Retried for at most `budget` seconds in all; raises CartesiaError.

        `failed` hears of every failed attempt at once, also of those that are tried again.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(is_retryable),
            wait=_wait,
            stop=_no_time_left(budget),
            sleep=sleep,
            before_sleep=_log_retry,
            reraise=True,
        ):
            with attempt:
                try:
                    reading = await self._read_once(span)
                except CartesiaError as error:
                    failed(error)
                    raise
                log.info("usage: it is read again.", extra=ends(_TOPIC))
                return reading
        raise AssertionError("tenacity either returns or raises")

    async def _read_once(self, span: Span) -> Reading:
        request = build_request(span)
        headers = {**request.headers, "Authorization": f"Bearer {self._key.get_secret_value()}"}
        asked_at, began = self._now(), elapsed()
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                self._http.stream("GET", self._url, params=dict(request.params), headers=headers) as response,
            ):
                packed = await _bounded(response)
        except TimeoutError:
            raise CartesiaUnavailable(f"Cartesia did not answer within {TIMEOUT:.0f} seconds.") from None
        except httpx.TransportError as error:
            if why := untrusted(error):
                raise CertificateUntrusted(f"Cartesia could not be reached ({why}).") from error
            raise CartesiaUnavailable(
                f"Cartesia could not be reached ({type(error).__name__}): check the network and CARTESIA_API_URL."
            ) from error
        log.debug("Cartesia's %s: %d, %.0f ms", PATH, response.status_code, 1000 * (elapsed() - began))
        body = unpacked(response.headers.get("Content-Encoding", "").strip().lower(), packed)
        days = parse_response(response.status_code, response.headers, body, span, asked_at)
        return Reading(span=span, days=days, read_at=asked_at)


async def _bounded(response: httpx.Response) -> bytes:
    """The body as it comes, still packed: httpx would unpack each piece without a bound. Raises UnreadableAnswer."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise too_large()
    return bytes(body)


_back_off = wait_random_exponential(multiplier=0.5, max=10)


def _wait(state: RetryCallState) -> float:
    """Ever longer, and never sooner than a Retry-After says; one of 0 seconds must not become a storm of requests."""
    error = state.outcome.exception() if state.outcome else None
    asked_for = error.retry_after if isinstance(error, Throttled) and error.retry_after else 0.0
    return max(asked_for, _back_off(state))


def _no_time_left(budget: float) -> Callable[[RetryCallState], bool]:
    """Stop where the next wait would end beyond the budget, so that a long Retry-After is handed on, not slept on."""
    return lambda state: (state.seconds_since_start or 0.0) + state.upcoming_sleep > budget


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    same = repeats(_TOPIC, error.gist if isinstance(error, CartesiaError) else "")
    log.warning("usage: %s Asking again in %.1f s.", error, state.upcoming_sleep, extra=same)
