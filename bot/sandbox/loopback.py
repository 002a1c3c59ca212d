"""A server on the loopback interface: starts on a free or a given port, stops at once."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

OWN_NAMES = {"127.0.0.1", "localhost"}


@web.middleware
async def _from_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends: under a name of its own that leads here, or with its own origin."""
    own = URL(f"http://{request.host}")
    if own.host not in OWN_NAMES or request.headers.get("Origin", str(own.origin())) != str(own.origin()):
        raise web.HTTPForbidden(text="This is for this machine alone.")
    return await handler(request)


class LoopbackServer:
    """Serves `routes()` on `host`; `port` 0 picks a free one. Stopping does not wait for hanging requests."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Base address without a final slash, known once started."""
        return f"http://{self.host}:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        """What is served; each server overrides this."""
        raise NotImplementedError

    def middlewares(self) -> list[Middleware]:
        """What every request goes through first."""
        return [_from_this_machine]

    async def start(self) -> None:
        self.stopping.clear()
        application = web.Application(client_max_size=8 * 1024 * 1024, middlewares=self.middlewares())
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
