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
from bot.health import Report
from bot.inbound import EVENTS, MOST_BYTES, Inbound

PORT_PATIENCE = 20.0  # seconds in which a process that was stopped leaves its port
_CLOSING = 1.0  # seconds for the last answers
_GLANCE = 0.2  # seconds between two attempts to listen

log = logging.getLogger(__name__)


class PortTaken(BotError):
    """Another process listens there."""


class Endpoints:
    """The server at `port`; without one there is none, and nothing here does anything. `hears_slack` is HTTP mode."""

    def __init__(self, host: str, port: int | None, *, hears_slack: bool) -> None:
        self._host = host
        self._port = port
        self._hears_slack = hears_slack
        self._phase = "starting"
        self._report: Callable[[], Awaitable[Report]] = self._report_phase
        self._inbound: Inbound | None = None
        self._runner: web.AppRunner | None = None

    async def open(self, patience: float = 0.0) -> None:
        """Listen, unless it does; a port that is taken is waited for so many seconds.

        Raises PortTaken, and StartRefused where waiting would not help.
        """
        give_up = elapsed() + patience
        while self._port is not None and self._runner is None:
            try:
                self._runner = await _listening(self._site(), self._host, self._port)
            except PortTaken:
                if elapsed() >= give_up:
                    raise
                await asyncio.sleep(_GLANCE)

    def start(self, report: Callable[[], Awaitable[Report]], inbound: Inbound | None) -> None:
        """The bot works: tell how it is, and take what Slack sends."""
        self._report, self._inbound = report, inbound

    def stop(self) -> None:
        """The bot stops: take nothing more."""
        self._phase, self._report, self._inbound = "stopping", self._report_phase, None

    async def close(self) -> None:
        """Listen no more."""
        if self._runner:
            await self._runner.cleanup()

    def _site(self) -> web.Application:
        site = web.Application(client_max_size=MOST_BYTES)
        site.router.add_get("/healthz", self._alive)
        site.router.add_get("/readyz", self._ready)
        site.router.add_get("/status", self._status)
        if self._hears_slack:
            site.router.add_post(EVENTS, self._slack)
            site.router.add_route("*", "/{elsewhere:.*}", self._elsewhere)
        return site

    async def _report_phase(self) -> Report:
        return Report((self._phase,))

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def _ready(self, _: web.Request) -> web.Response:
        report = await self._report()
        return _told(report, report.is_ready)

    async def _status(self, _: web.Request) -> web.Response:
        report = await self._report()
        return _told(report, report.is_well)

    async def _slack(self, request: web.Request) -> web.StreamResponse:
        if self._inbound is None:
            return web.json_response({"error": self._phase}, status=503)
        return await self._inbound.answer(request)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        if request.path == EVENTS:
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        if self._inbound is None or request.method != "POST":
            raise web.HTTPNotFound
        return await self._inbound.elsewhere(request)


def _told(report: Report, good: bool) -> web.Response:
    return web.json_response(report.json(), status=200 if good else 503, dumps=partial(json.dumps, ensure_ascii=False))


async def _listening(site: web.Application, host: str, port: int) -> web.AppRunner:
    """The site, listening. Raises PortTaken, StartRefused."""
    # What is compressed is not Slack's, and is not unpacked: the signature is over the bytes as they came.
    runner = web.AppRunner(site, shutdown_timeout=_CLOSING, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        kind = PortTaken if error.errno == errno.EADDRINUSE else StartRefused
        reason = f"{host}:{port} can't be listened on ({error.strerror}): set HOST and PORT to a free one."
        raise kind(reason) from None
    log.info("listening on port %s", next(address[1] for address in runner.addresses))
    return runner
