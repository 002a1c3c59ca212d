"""Socket Mode: the connection, what Slack says about it, and when it is given up.

https://docs.slack.dev/apis/events-api/using-socket-mode: `hello` opens each connection and counts those of the app,
`disconnect` says why Slack ends one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from aiohttp import WSMessage, WSMsgType
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.clock import elapsed
from bot.commands.answer import StatusLine
from bot.errors import StoreError
from bot.listeners.dispatch import Dispatcher
from bot.money import count
from bot.settings import APP_TOKEN
from bot.slack.failures import Refusal, classify
from bot.system.network import proxy_for
from bot.system.waiting import sleep

PATIENCE = 120.0  # seconds without a connection before the platform should restart the bot
PING = 5  # seconds between two pings; a connection that answers none for four of them is replaced
LONGEST_PAUSE = 30.0  # seconds between two connections that Slack does not accept
_POLL_EVERY = 0.2  # seconds between two looks at the connection
_CLOSING = 3.0  # seconds
_LONGEST = 10_000  # characters of what Slack says of the connection

# Why Slack turns a connection away until somebody mends it; "warning" and "refresh_requested" are everyday.
TURNED_AWAY = {
    "link_disabled": "Socket Mode is switched off for this app: switch it on at api.slack.com/apps → your app → "
    "Socket Mode, or run the bot in HTTP mode",
    "too_many_websockets": f"ten connections, which is Slack's limit, use {APP_TOKEN}: stop the other processes",
}

log = logging.getLogger(__name__)


class Client(SocketModeClient):
    """Slack's client asks for the next address at once, however often Slack turns it away; this one takes its time."""

    in_vain = 0  # addresses given by Slack since it last said hello
    quiet_until = float("-inf")  # as Slack asked by a Retry-After, of which the client would believe any

    async def issue_new_wss_url(self) -> str:
        """The address of a new connection. Raises what the Web API's client raises."""
        await asyncio.sleep(min(LONGEST_PAUSE, 2.0 ** (min(self.in_vain, 9) - 1)) if self.in_vain else 0.0)
        await sleep(self.quiet_for)
        try:
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        except SlackApiError as error:
            self._heed(classify(error))
            raise
        address = str(answer["url"])
        self.in_vain += 1
        self.proxy = proxy_for(address)  # where the socket is, is known only now
        return address

    @property
    def quiet_for(self) -> float:
        """Seconds for which Slack still asks not to be asked for a connection."""
        return max(0.0, self.quiet_until - elapsed())

    def _heed(self, refusal: Refusal | None) -> None:
        if refusal and refusal.retry_after:
            self.quiet_until = elapsed() + refusal.retry_after
            log.warning("Slack asks to wait %.0f s before it gives a connection", refusal.retry_after)


class SocketMode:
    """One process's connection; in HTTP mode it is never opened. `replicas` tells how many of this bot there are."""

    def __init__(self, replicas: Callable[[], Awaitable[int]]) -> None:
        self._replicas = replicas
        self._client: Client | None = None
        self._turned_away: str | None = None
        self._crowd: str | None = None
        self._times_crowded = 0  # one hello after the other
        self._counting: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def open(self, dispatcher: Dispatcher, app_token: SecretStr) -> AsyncIterator[None]:
        """Connect, and hand over to the dispatcher what comes, until the end of this context."""

        async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            await send_async_response(client, request, await dispatcher.take(request.payload), time.time())  # noqa: TID251 Bolt logs by it how long it took

        client = self._client = Client(
            app_token.get_secret_value(),
            logger=dispatcher.app.logger,
            web_client=dispatcher.app.client,
            ping_interval=PING,
        )
        client.on_message_listeners.append(self.hear)
        client.socket_mode_request_listeners.append(take)
        connecting = asyncio.create_task(client.connect())  # may try for ever: never awaited bare
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            try:
                async with asyncio.timeout(_CLOSING):
                    await client.close()
            except TimeoutError:
                log.warning("the Socket Mode connection did not close in time")

    async def lost(self) -> None:
        """Ends once there was no connection for two minutes: the client may try one dead address for ever."""
        last_up, was_up = elapsed(), False
        while True:
            up = await self._is_up()
            if up != was_up:
                log.log(*((logging.INFO, "connected to Slack") if up else (logging.WARNING, "no connection to Slack")))
            was_up = up
            await asyncio.sleep(_POLL_EVERY)
            if up:
                last_up = elapsed()
            elif self._is_asked_to_wait():
                last_up = elapsed()  # restarting would only ask again, too soon
            elif elapsed() - last_up > PATIENCE:
                log.error("Slack was not connected for %d seconds; restarting is the remedy", PATIENCE)
                return

    async def reasons(self) -> list[str]:
        """Why Slack is not connected."""
        if self._client is None or await self._is_up():
            return []
        return [f"Slack is not connected{f': {why}' if (why := self._why()) else ''}"]

    async def warnings(self) -> list[str]:
        """Others that use the app token, once two connections in a row were not alone.

        Slack may still count the connection that was just closed when the next one opens.
        """
        return [self._crowd] if self._crowd and self._times_crowded > 1 else []

    def remarks(self) -> list[StatusLine]:
        """The same after one connection, for whoever asks how the bot is."""
        return [(False, self._crowd)] if self._crowd and self._times_crowded == 1 else []

    def _why(self) -> str | None:
        if self._client and self._is_asked_to_wait():
            return f"Slack asks to wait, for {self._client.quiet_for:.0f} s more"
        return self._turned_away

    def _is_asked_to_wait(self) -> bool:
        return self._client is not None and self._client.quiet_for > 0

    async def _is_up(self) -> bool:
        return self._client is not None and self._turned_away is None and await self._client.is_connected()

    async def hear(self, message: WSMessage) -> None:
        """Slack's own words about the connection; what people did goes to `take`."""
        said = _said(message)
        if said.get("type") == "hello" and self._client:
            self._turned_away, self._client.in_vain = None, 0
            if self._counting:
                self._counting.cancel()  # the newest hello counts
            self._counting = asyncio.create_task(self._count(said.get("num_connections")))
        elif said.get("type") == "disconnect" and (remedy := TURNED_AWAY.get(str(said.get("reason")))):
            if self._turned_away is None:
                log.error("Slack turns the connection away: %s", remedy)
            self._turned_away = remedy

    async def _count(self, connections: object) -> None:
        """Hold how many connections Slack counts against how many this bot has."""
        try:
            replicas = await self._replicas()
        except StoreError as error:
            log.warning("%s The app's connections were not counted.", error)
            return
        if not isinstance(connections, int) or connections <= replicas:
            self._crowd, self._times_crowded = None, 0
            return
        self._crowd = _crowd(connections, replicas)
        self._times_crowded += 1
        if self._times_crowded == 1:
            log.warning("%s", self._crowd)


def _crowd(connections: int, replicas: int) -> str:
    return (
        f"Slack counts {count(connections, 'connection')} with {APP_TOKEN}, and this bot has {replicas}: another "
        "process takes part of the commands and clicks. Stop it, or give it an app of its own. "
        "A connection that broke is counted for some hours as well."
    )


def _said(message: WSMessage) -> Mapping[str, Any]:
    """What Slack says of the connection; nothing of what people did, which bears an id."""
    if message.type is not WSMsgType.TEXT or len(message.data) > _LONGEST or '"envelope_id"' in message.data:
        return {}
    try:
        said = json.loads(message.data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
