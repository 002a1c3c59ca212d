"""The way to Slack: clients for its methods, the Bolt app, and the tokens tried at start."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Workspace, workspace_of
from bot.errors import StartRefused
from bot.network import proxy_for
from bot.settings import APP_TOKEN, BOT_TOKEN, WHERE, Settings, Transport
from bot.slack.client import Client
from bot.slack.failures import Failure, classify

SLACK_TIMEOUT = 10  # seconds for one call

log = logging.getLogger(__name__)


def slack_client(settings: Settings, token: SecretStr, *, retries: bool) -> Client:
    """A client for SLACK_API_URL. Reads may be retried in place; posts never are: a dropped POST would go out twice."""
    handlers = [AsyncConnectionErrorRetryHandler(), AsyncRateLimitErrorRetryHandler()] if retries else []
    client = Client(
        token.get_secret_value(), base_url=settings.slack_api_url, timeout=SLACK_TIMEOUT, retry_handlers=handlers
    )
    client.proxy = proxy_for(settings.slack_api_url)  # afterwards: as an argument, None means whatever HTTPS_PROXY says
    return client


def bolt_app(reads: AsyncWebClient) -> AsyncApp:
    """The app without listeners."""

    async def authorize(client: AsyncWebClient) -> AuthorizeResult:
        """One workspace and one token, tried at start: no call of auth.test stands before an answer."""
        client.proxy = reads.proxy  # Bolt makes a client for each request, which takes its proxy from HTTPS_PROXY
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=reads.token)

    return AsyncApp(
        client=reads,
        authorize=authorize,
        request_verification_enabled=False,  # bot/inbound.py does it before, over the bytes
        raise_error_for_unhandled_request=True,  # to bot/listeners/unhandled.py: Bolt would not acknowledge it
        process_before_response=True,  # else Bolt looks for the acknowledgement only every 10 ms
        logger=logging.getLogger("slack_bolt"),
    )


async def try_tokens(settings: Settings, transport: Transport, client: AsyncWebClient) -> Workspace | None:
    """Ask Slack whether it takes the tokens: the bot's workspace, None where Slack can't be reached and is waited for
    later. Raises StartRefused."""
    answer = await _try_token(BOT_TOKEN, client.auth_test())
    if transport == "socket" and settings.slack_app_token:
        token = settings.slack_app_token.get_secret_value()
        await _try_token(APP_TOKEN, client.apps_connections_open(app_token=token))
    return _workspace(answer.data) if answer else None


def _workspace(answer: Any) -> Workspace | None:
    try:
        return workspace_of(answer)
    except ValueError as error:
        log.warning("Slack did not say which workspace the bot is in (%s)", error)
        return None


async def _try_token(name: str, call: Coroutine[Any, Any, Any]) -> Any:
    """Slack's answer, None where it gave none."""
    try:
        return await call
    except Exception as error:
        refusal = classify(error)
        if refusal is None:
            raise
        if refusal.failure is Failure.CREDENTIAL:
            raise StartRefused(f"Slack refuses {name} ({refusal.code}): it is {WHERE[name]}.") from None
        log.warning("Slack could not be asked about %s (%s)", name, refusal.code)
        return None
