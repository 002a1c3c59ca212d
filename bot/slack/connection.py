"""The way to Slack: clients for its methods, the Bolt app, and the tokens tried at start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import elapsed
from bot.errors import StartRefused
from bot.rules.access import Workspace, workspace_of
from bot.settings import APP_TOKEN, BOT_TOKEN, WHERE, Settings
from bot.slack.client import Client
from bot.slack.failures import Failure, classify
from bot.system.network import proxy_for
from bot.system.waiting import sleep

SLACK_TIMEOUT = 10  # seconds for one call
START_PATIENCE = 10.0  # seconds that Slack may ask a start to wait: nothing is checked yet

log = logging.getLogger(__name__)


def slack_client(settings: Settings, token: SecretStr, *, retries: bool) -> Client:
    """A client for SLACK_API_URL. Reads may be retried in place; posts never are: a dropped POST would go out twice.

    Nothing waits here as Slack asks by a Retry-After: who calls must know of a wait, and bound it.
    """
    handlers: list[AsyncRetryHandler] = [AsyncConnectionErrorRetryHandler()] if retries else []
    client = Client(
        token.get_secret_value(), base_url=settings.slack_api_url, timeout=SLACK_TIMEOUT, retry_handlers=handlers
    )
    client.proxy = proxy_for(settings.slack_api_url)  # afterwards: as an argument, None means whatever HTTPS_PROXY says
    return client


def bolt_app(reads: AsyncWebClient) -> AsyncApp:
    """The app without listeners, which get `reads` as their client."""

    async def authorize() -> AuthorizeResult:
        """One workspace and one token, tried at start: no call of auth.test stands before an answer."""
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=reads.token)

    app = AsyncApp(
        name="agent-usage",  # else Bolt names it after the file that made it, and looks through every module for that
        client=reads,
        authorize=authorize,
        request_verification_enabled=False,  # bot/listeners/http_mode.py does it before, over the bytes
        raise_error_for_unhandled_request=True,  # to bot/listeners/unhandled.py: Bolt would not acknowledge it
        process_before_response=True,  # else Bolt looks for the acknowledgement only every 10 ms
        logger=logging.getLogger("slack_bolt"),
    )

    @app.middleware
    async def with_our_client(
        context: AsyncBoltContext, body: Mapping[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """Bolt makes one for each request, which knows neither NO_PROXY nor a bound on what Slack answers."""
        context["client"] = reads
        log.debug("Slack sent %.100s", _kind(body))
        await next_()

    return app


def _kind(body: Mapping[str, Any]) -> str:
    """What a payload is, without what people typed."""
    match body:
        case {"command": str(command)}:
            return command
        case {"event": {"type": str(kind)}}:
            return kind
        case {"type": str(kind)}:
            return kind
    return "something unknown"


@dataclass(frozen=True)
class TokenTrial:
    """Asks Slack at start whether it takes the tokens; waits for its answers and as it asks, 10 seconds in all.

    `waiting` is told for what, as a sentence.
    """

    client: AsyncWebClient
    waiting: Callable[[str], None]
    give_up: float = field(default_factory=lambda: elapsed() + START_PATIENCE)

    async def of(self, app_token: SecretStr | None) -> Workspace | None:
        """The bot's workspace, None where Slack can't be reached and is waited for later. Raises StartRefused."""
        answer = await self._try(BOT_TOKEN, self.client.auth_test)
        if app_token:
            token = app_token.get_secret_value()
            await self._try(APP_TOKEN, partial(self.client.apps_connections_open, app_token=token))
        return _workspace(answer.data) if answer else None

    async def _try(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Slack's answer, None where it gave none."""
        log.info("asking Slack whether it takes %s", name)
        self.waiting(f"Slack is asked whether it takes {name}.")
        while True:
            try:
                async with asyncio.timeout(max(0.0, self.give_up - elapsed())):
                    return await call()
            except Exception as error:
                refusal = classify(error)
                if refusal is None:
                    raise
            if refusal.failure is Failure.CREDENTIAL:
                raise StartRefused(f"Slack refuses {name} ({refusal.code}): it is {WHERE[name]}.")
            wait = min(refusal.retry_after or 0.0, self.give_up - elapsed())
            if wait <= 0:
                log.warning("Slack could not be asked about %s (%s)", name, refusal.code)
                return None
            self._say(f"Slack asks to wait before it says whether it takes {name}: waiting {max(wait, 1.0):.0f} s.")
            await sleep(wait)

    def _say(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self.waiting(sentence)


def _workspace(answer: Any) -> Workspace | None:
    try:
        return workspace_of(answer)
    except ValueError as error:
        log.warning("Slack did not say which workspace the bot is in (%s)", error)
        return None
