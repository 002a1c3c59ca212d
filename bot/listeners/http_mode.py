"""Slack's requests in HTTP mode: the signature over the bytes first, then their form, then the dispatcher.

Bolt's own check of the signature is switched off, since nothing comes to it but through here.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from aiohttp import ClientError, StreamReader, web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.internals import parse_body
from slack_bolt.response import BoltResponse

from bot.listeners.dispatch import Dispatcher
from bot.listeners.http_connections import GENUINE
from bot.listeners.rejected_requests import RejectedRequests, Rejection
from bot.listeners.signature import TOLERANCE, Signature, Verdict
from bot.money import number
from bot.settings import SIGNING_SECRET, WHERE
from bot.system.threads import in_thread

EVENTS = "/slack/events"
MOST_BYTES = 1_000_000  # of a body; the largest thing that Slack knows is a view of 250 kB
SLACKS_PATIENCE = 3.0  # seconds after which Slack gives up a request
# The two forms, in the only charset: https://docs.slack.dev/interactivity/implementing-slash-commands,
# https://docs.slack.dev/apis/events-api
_ONE_OF_SLACKS = re.compile(r'application/(x-www-form-urlencoded|json) *(; *charset="?utf-?8"? *)?', re.IGNORECASE)
_MOST_FIELDS = 100  # of a form; Slack's commands have some twenty
_SHOWN = 100  # characters of an address
_LONG = 65_536  # bytes of a body: a megabyte of escapes takes a tenth of a second

log = logging.getLogger(__name__)


class RejectedError(Exception):
    """A request that is not taken: the status it is answered with, and a sentence that says why and what to do."""

    def __init__(self, status: int, kind: Rejection, sentence: str) -> None:
        self.status = status
        self.kind = kind
        super().__init__(sentence)


@dataclass
class HttpMode:
    """Takes what Slack sends. Signatures are held against the clock `now`."""

    dispatcher: Dispatcher
    secret: SecretStr
    rejected: RejectedRequests
    now: Callable[[], datetime]
    _is_heard: bool = False
    _one_long: asyncio.Lock = field(default_factory=asyncio.Lock)
    _in_flight: set[asyncio.Future[BoltResponse]] = field(default_factory=set)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What Bolt answers; what is not Slack's, or is not understood, is refused and noted."""
        try:
            body = await self._genuine(request)
            self._hear()
            sent = await self._parsed(request, body)
        except RejectedError as rejected:
            self.rejected.note(rejected.kind, str(rejected))
            return _rejected(rejected.status)
        return await to_aiohttp_response(await self._dispatch(sent))

    async def _parsed(self, request: web.BaseRequest, body: bytes) -> object:
        """What was sent; a long one is taken apart beside the loop, one after the other. Raises RejectedError."""
        if len(body) <= _LONG:
            return _parsed(request, body)
        async with self._one_long:
            return await in_thread(partial(_parsed, request, body))

    async def elsewhere(self, request: web.BaseRequest) -> web.StreamResponse:
        """404. Where it is Slack that asks, the app's settings name a wrong address, and only we can notice."""
        try:
            await self._genuine(request)
            self.rejected.note(Rejection.ADDRESS, _wrong_address(request))
        except RejectedError as rejected:
            if rejected.kind is not Rejection.STRANGER:
                self.rejected.note(rejected.kind, str(rejected))
        return web.json_response({"error": "not found"}, status=404)

    async def finish(self) -> None:
        """Wait until what is in hand is answered, but no longer than Slack does."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=SLACKS_PATIENCE)

    def _hear(self) -> None:
        if self.rejected.end(Rejection.SECRET, Rejection.CLOCK) or not self._is_heard:
            log.info("Slack is heard")
        self._is_heard = True

    async def _genuine(self, request: web.BaseRequest) -> bytes:
        """The body, once it is certain that Slack sent it. Raises RejectedError."""
        signature = Signature.of(request.headers)
        if signature is None:
            raise _stranger(401, "without Slack's signature")
        body = await _read(request)
        now = self.now().timestamp()
        match signature.verdict(body, self.secret.get_secret_value(), now):
            case Verdict.OTHER_SECRET:
                raise RejectedError(401, Rejection.SECRET, _wrong_secret())
            case Verdict.OTHER_CLOCK:
                raise RejectedError(401, Rejection.CLOCK, _wrong_clock(signature.seconds_ahead(now)))
            case Verdict.NEITHER:
                raise _stranger(401, f"whose signature fits neither {SIGNING_SECRET} nor this machine's clock")
            case Verdict.GENUINE:
                request[GENUINE] = True
                return body

    async def _dispatch(self, sent: object) -> BoltResponse:
        answering = asyncio.ensure_future(self.dispatcher.take(sent))
        self._in_flight.add(answering)
        answering.add_done_callback(self._in_flight.discard)
        return await answering


async def _read(request: web.BaseRequest) -> bytes:
    """The body's bytes; one that is too large is not read. Raises RejectedError."""
    if (request.content_length or 0) > MOST_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(SLACKS_PATIENCE):
            return await _gathered(request.content)
    except TimeoutError:
        raise _stranger(408, f"whose body did not come within {SLACKS_PATIENCE:g} seconds") from None
    except (OSError, ClientError, web.RequestPayloadError) as error:
        # aiohttp keeps the error, whose traceback would keep what was read
        raise _stranger(400, "whose body broke off") from error.with_traceback(None)


async def _gathered(content: StreamReader) -> bytes:
    """All of it. Raises RejectedError where it is too large and did not say so beforehand."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _too_large()
    return bytes(body)


def _parsed(request: web.BaseRequest, body: bytes) -> object:
    """What was sent. Raises RejectedError where it has none of the two forms that Slack uses."""
    content_type = request.headers.get("Content-Type", "")
    if not _ONE_OF_SLACKS.fullmatch(content_type):
        raise _unreadable(415, content_type)
    if not body.startswith(b"{") and body.count(b"&") >= _MOST_FIELDS:
        raise _unreadable(400, f"more than {_MOST_FIELDS} fields")
    try:
        return parse_body(body.decode(), request.content_type)
    except (ValueError, RecursionError) as error:
        raise _unreadable(400, type(error).__name__) from None


def _rejected(status: int) -> web.Response:
    """The connection is closed behind it: who is refused has no more to say."""
    response = web.json_response({"error": "invalid request"}, status=status)
    response.force_close()
    return response


def _too_large() -> RejectedError:
    return _stranger(413, f"with more than {number(MOST_BYTES)} bytes")


def _stranger(status: int, what: str) -> RejectedError:
    return RejectedError(status, Rejection.STRANGER, f"Refused what Slack does not send: a request {what}.")


def _unreadable(status: int, why: str) -> RejectedError:
    return RejectedError(status, Rejection.UNREADABLE, f"Slack sent a request that can't be read ({why[:_SHOWN]}).")


def _wrong_secret() -> str:
    return (
        f"Slack may not be heard: requests are signed with another secret than {SIGNING_SECRET}. If people get no "
        f"answer, set it again and restart the bot: it is {WHERE[SIGNING_SECRET]}."
    )


def _wrong_clock(ahead: float) -> str:
    by = f"{number(abs(math.floor(ahead)))} seconds"  # Slack's own is a whole number, rounded down
    apart = f"{by} ahead of Slack's, or requests arrive that late" if ahead > 0 else f"{by} behind Slack's"
    return (
        f"Slack is not heard: this machine's clock is {apart}, and at most {TOLERANCE:g} seconds are allowed. "
        "Set the clock, for instance with NTP."
    )


def _wrong_address(request: web.BaseRequest) -> str:
    path = request.rel_url.raw_path[:_SHOWN]
    return (
        f"Slack is not heard: it sends to {path}, and the bot listens at {EVENTS}. Correct the app's Request URLs: "
        "api.slack.com/apps → your app → Slash Commands, Interactivity & Shortcuts."
    )
