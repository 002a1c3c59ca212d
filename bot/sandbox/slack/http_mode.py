"""HTTP mode: signed POSTs to the app's request URL, acknowledged by a 200 within three seconds."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.deliveries import ACK_SECONDS, Delivery
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import Json

FORM = "application/x-www-form-urlencoded"
JSON_BODY = "application/json"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the app answered to one signed request."""

    status: int
    body: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class HttpMode:
    """Posts to `request_url`, which is where the app listens; None while it uses Socket Mode."""

    platform: Platform
    request_url: str | None = None
    ack_seconds: float = ACK_SECONDS
    deliveries: list[Delivery] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    async def deliver(self, delivery: Delivery, retry: Json | None = None) -> None:
        """Send the payload in the form its kind has in HTTP mode; a status other than 200 is a failed dispatch."""
        self.deliveries.append(delivery)
        content_type, body = encoded(delivery.kind, delivery.payload)
        try:
            answer = await self.post(body, content_type, headers=_retry_headers(retry), timeout=self.ack_seconds)
        except TimeoutError:
            delivery.error = "operation_timeout"
            return
        except aiohttp.ClientError:
            delivery.error = "dispatch_failed"
            return
        delivery.http_status = answer.status
        if answer.status != 200:
            delivery.error = "dispatch_failed"
            return
        delivery.acknowledge(self.platform.clock(), _body_of(answer))
        self.platform.changes.note()

    async def post(
        self,
        body: str,
        content_type: str = FORM,
        *,
        secret: str | None = None,
        timestamp: float | None = None,
        signature: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = ACK_SECONDS,
    ) -> HttpAnswer:
        """One POST, signed with the app's secret for this moment; another secret, Unix time or signature lies."""
        if self.request_url is None:
            raise RuntimeError("set request_url before sending in HTTP mode")
        stamp = str(int(time.time() if timestamp is None else timestamp))  # noqa: TID251 Slack's own clock
        signed = signature_of(secret or self.platform.credentials.signing_secret, stamp, body)
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature if signature is not None else signed,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **(headers or {}),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=timeout)
        async with self._session.post(self.request_url, data=body.encode(), headers=sent, timeout=limit) as answer:
            return HttpAnswer(answer.status, await answer.text(), dict(answer.headers))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def signature_of(secret: str, timestamp: str, body: str) -> str:
    """Slack's v0 signature: HMAC-SHA256 over "v0:timestamp:body"."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return f"v0={digest}"


def encoded(kind: str, payload: Json) -> tuple[str, str]:
    """Content type and body: commands as a form, interactive payloads in one form field, events as JSON."""
    match kind:
        case "slash_commands":
            return FORM, urlencode(payload)
        case "interactive":
            return FORM, urlencode({"payload": json.dumps(payload)})
        case _:
            return JSON_BODY, json.dumps(payload)


def _retry_headers(retry: Json | None) -> dict[str, str]:
    if not retry:
        return {}
    return {
        "X-Slack-Retry-Num": str(retry["retry_attempt"]),
        "X-Slack-Retry-Reason": str(retry["retry_reason"]),
    }


def _body_of(answer: HttpAnswer) -> Json | str | None:
    """JSON where it is an object, else the text; None where empty."""
    if not answer.body:
        return None
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer.body
    return body if isinstance(body, dict) else answer.body
