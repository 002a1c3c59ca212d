"""The HTTP server: `/healthz`, `/readyz`, `/status`, and in HTTP mode Slack's requests.

It listens from the first moment of a process to its last, so that whoever asks hears `starting` and `stopping`.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from bot.clock import elapsed
from bot.errors import BotError, StartRefused
from bot.listeners.http_connections import Bounds, Connections
from bot.listeners.http_mode import EVENTS, HttpMode
from bot.listeners.http_server import http_server
from bot.listeners.rejected_requests import RejectedRequests, Rejection
from bot.operate.health import Report

PORT_PATIENCE = 20.0  # seconds in which a process that was stopped leaves its port
_CLOSING = 1.0  # seconds for the last answers
_POLL_EVERY = 0.2  # seconds between two attempts to listen

log = logging.getLogger(__name__)


class PortTaken(BotError):
    """Another process listens there."""


class Endpoints:
    """The server at `port`; without one there is none, and nothing here does anything. `takes_slack` is HTTP mode."""

    def __init__(self, host: str, port: int | None, rejected: RejectedRequests, *, takes_slack: bool) -> None:
        self.rejected = rejected
        self.connections = Connections(Bounds.of_this_process(), self._note)
        self.server = http_server(partial(self.connections.around, self._answer), self._note)
        self._host = host
        self._port = port
        self._takes_slack = takes_slack
        self._phase = "starting"
        self._report: Callable[[], Awaitable[Report]] = self._report_phase
        self._http_mode: HttpMode | None = None
        self._listening: asyncio.Server | None = None

    async def open(self, patience: float = 0.0) -> None:
        """Listen, unless it does; a port that is taken is waited for so many seconds.

        Raises PortTaken, and StartRefused where waiting would not help.
        """
        give_up = elapsed() + patience
        while self._port is not None and self._listening is None:
            try:
                await self._listen(self._host, self._port)
            except PortTaken:
                if elapsed() >= give_up:
                    raise
                await asyncio.sleep(_POLL_EVERY)

    def wait_for(self, what: str) -> None:
        """The start is held up: `/readyz` says by what, until this is called with nothing."""
        self._phase = f"starting: {what}" if what else "starting"

    def start(self, report: Callable[[], Awaitable[Report]], http_mode: HttpMode | None) -> None:
        """The bot works: tell how it is, and take what Slack sends."""
        self._report, self._http_mode = report, http_mode

    def stop(self) -> None:
        """The bot stops: take nothing more."""
        self._phase, self._report, self._http_mode = "stopping", self._report_phase, None

    async def close(self) -> None:
        """Listen no more."""
        if self._listening:
            self._listening.close()
        self.server.pre_shutdown()
        await self.server.shutdown(_CLOSING)
        self.connections.close()

    async def _listen(self, host: str, port: int) -> None:
        """Raises PortTaken, StartRefused."""
        try:
            self._listening = await self.connections.listen(self.server, host, port)
        except OSError as error:
            kind = PortTaken if error.errno == errno.EADDRINUSE else StartRefused
            reason = f"{host}:{port} can't be listened on ({error.strerror}): set HOST and PORT to a free one."
            raise kind(reason) from None
        log.info("listening on port %s", self._listening.sockets[0].getsockname()[1])

    def _note(self, sentence: str) -> None:
        self.rejected.note(Rejection.STRANGER, sentence)

    async def _report_phase(self) -> Report:
        return Report((self._phase,))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        match "GET" if request.method == "HEAD" else request.method, request.path:
            case "GET", "/healthz":
                return _json({"ok": True})
            case "GET", "/readyz":
                return _response(report := await self._report(), report.is_ready)
            case "GET", "/status":
                return _response(report := await self._report(), report.is_well)
            case "POST", _ if self._takes_slack:
                return await self._slack(request)
            case _, "/healthz" | "/readyz" | "/status":
                return _json({"error": "method not allowed"}, 405, Allow="GET, HEAD")
            case _, path if path == EVENTS and self._takes_slack:
                return _json({"error": "method not allowed"}, 405, Allow="POST")
            case _:
                return _json({"error": "not found"}, 404)

    async def _slack(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._http_mode is None:
            return _json({"error": self._phase}, 503)
        return await (self._http_mode.answer if request.path == EVENTS else self._http_mode.elsewhere)(request)


def _response(report: Report, good: bool) -> web.Response:
    return _json(report.json(), 200 if good else 503)


def _json(body: dict[str, object], status: int = 200, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers, dumps=partial(json.dumps, ensure_ascii=False))
