"""How the bot hears Slack: the Bolt app, the tokens tried at start, Socket Mode or HTTP, and the health endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, StartRefused
from bot.settings import APP_TOKEN, BOT_TOKEN, WHERE, Settings, Transport
from bot.slack.failures import Failure, classify

SLACK_TIMEOUT = 10  # seconds for one call
SOCKET_PATIENCE = 120.0  # seconds without a Socket Mode connection before the platform should restart the bot
HTTP_PORT = 3000
PING = 5  # seconds between two pings; a connection that answers none for four of them is replaced
_GLANCE = 0.2  # seconds between two looks at the connection

log = logging.getLogger(__name__)

_STAMP = re.compile(r"[0-9]{1,12}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Troubles = Callable[[], Awaitable[list[str]]]


def slack_client(settings: Settings, token: SecretStr, *, retries: bool) -> AsyncWebClient:
    """A client for SLACK_API_URL. Reads may be retried in place; posts never are: a dropped POST would go out twice."""
    handlers = [AsyncConnectionErrorRetryHandler(), AsyncRateLimitErrorRetryHandler()] if retries else []
    return AsyncWebClient(
        token.get_secret_value(), base_url=settings.slack_api_url, timeout=SLACK_TIMEOUT, retry_handlers=handlers
    )


def bolt_app(settings: Settings, reads: AsyncWebClient) -> AsyncApp:
    """The app without listeners."""

    async def authorize(**_: object) -> AuthorizeResult:
        """One workspace and one token, tried at start: no call of auth.test stands before an answer."""
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=reads.token)

    secret = settings.slack_signing_secret
    return AsyncApp(
        client=reads,
        authorize=authorize,
        signing_secret=secret.get_secret_value() if secret else None,
        process_before_response=True,  # else Bolt looks for the acknowledgement only every 10 ms
        logger=logging.getLogger("slack_bolt"),
    )


async def try_tokens(settings: Settings, transport: Transport, client: AsyncWebClient) -> None:
    """Ask Slack whether it takes the tokens. Raises StartRefused; a Slack that can't be reached is waited for later."""
    await _try_token(BOT_TOKEN, client.auth_test())
    if transport == "socket" and settings.slack_app_token:
        token = settings.slack_app_token.get_secret_value()
        await _try_token(APP_TOKEN, client.apps_connections_open(app_token=token))


async def _try_token(name: str, call: Coroutine[Any, Any, Any]) -> None:
    try:
        await call
    except Exception as error:
        refusal = classify(error)
        if refusal is None:
            raise
        if refusal.failure is Failure.CREDENTIAL:
            raise StartRefused(f"Slack refuses {name} ({refusal.code}): it is {WHERE[name]}.") from None
        log.warning("Slack could not be asked about %s (%s)", name, refusal.code)


@dataclass
class Connection:
    """Whether Slack is heard. In HTTP mode there is no connection to lose."""

    handler: AsyncSocketModeHandler | None = None

    async def is_up(self) -> bool:
        return self.handler is None or bool(await self.handler.client.is_connected())

    async def lost(self) -> None:
        """Ends once Socket Mode was down for two minutes: its client may try one dead address for ever."""
        last_up, was_up = time.monotonic(), False
        while True:
            up = await self.is_up()
            if up != was_up:
                log.log(*((logging.INFO, "connected to Slack") if up else (logging.WARNING, "no connection to Slack")))
            was_up = up
            await asyncio.sleep(_GLANCE)
            if up:
                last_up = time.monotonic()
            elif time.monotonic() - last_up > SOCKET_PATIENCE:
                log.error("Slack was not connected for %d seconds; restarting is the remedy", SOCKET_PATIENCE)
                return


@contextlib.asynccontextmanager
async def connected(
    app: AsyncApp, settings: Settings, transport: Transport, troubles: Troubles
) -> AsyncIterator[Connection]:
    """Hear Slack, and answer on the health endpoints where there is a port; `troubles` are the bot's own."""
    async with contextlib.AsyncExitStack() as stack:
        connection = Connection()
        if transport == "http" or settings.port is not None:
            await stack.enter_async_context(_listening(app, settings, transport, connection, troubles))
        if transport == "socket":
            await stack.enter_async_context(_socket(app, settings, connection))
        yield connection


@contextlib.asynccontextmanager
async def _socket(app: AsyncApp, settings: Settings, connection: Connection) -> AsyncIterator[None]:
    assert settings.slack_app_token is not None  # noqa: S101 settings.load was told that it is needed
    handler = AsyncSocketModeHandler(
        app, settings.slack_app_token.get_secret_value(), web_client=app.client, ping_interval=PING
    )
    connection.handler = handler
    connecting = asyncio.create_task(handler.connect_async())  # may try for ever: never awaited bare
    try:
        yield
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        try:
            async with asyncio.timeout(3):
                await handler.close_async()
        except TimeoutError:
            log.warning("the Socket Mode connection did not close in time")


@web.middleware
async def _screened(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what Slack never sends, before Bolt trips over it: malformed signature headers and bodies."""
    stamp = request.headers.get("X-Slack-Request-Timestamp", "0")
    signature = request.headers.get("X-Slack-Signature", "")
    if request.method == "POST" and not (_STAMP.fullmatch(stamp) and signature.isascii()):
        return web.json_response({"error": "invalid request"}, status=401)
    try:
        return await handler(request)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("a request that is none of Slack's was refused (%s)", type(error).__name__)
        return web.json_response({"error": "invalid request"}, status=400)


@contextlib.asynccontextmanager
async def _listening(
    app: AsyncApp, settings: Settings, transport: Transport, connection: Connection, troubles: Troubles
) -> AsyncIterator[None]:
    site = app.web_app("/slack/events") if transport == "http" else web.Application()
    site.middlewares.append(_screened)

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def ready(_: web.Request) -> web.Response:
        unconnected = [] if await connection.is_up() else ["Slack is not connected"]
        reasons = [*unconnected, *await troubles()]
        return web.json_response({"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    site.router.add_get("/healthz", alive)
    site.router.add_get("/readyz", ready)
    runner = web.AppRunner(site, shutdown_timeout=5, access_log=None)
    await runner.setup()
    try:
        port = HTTP_PORT if settings.port is None else settings.port
        try:
            await web.TCPSite(runner, settings.host, port).start()
        except OSError as error:
            reason = f"{settings.host}:{port} can't be listened on ({error.strerror}): set HOST and PORT to a free one."
            raise BotError(reason) from None
        log.info("listening on port %s", next(address[1] for address in runner.addresses))
        yield
    finally:
        await runner.cleanup()
