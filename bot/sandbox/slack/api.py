"""The Web API: finds the method, checks the token and its scopes, performs, keeps a record of every call."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bot.sandbox.faults import Answering, Fault, FaultKind, answer_under
from bot.sandbox.slack import chat, conversations, files, people, views
from bot.sandbox.slack.arguments import Arguments, arguments_of
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import APP_ID, Json, SlackRefusal

Perform = Callable[[Platform, Arguments], Json]
BURST = 5
POSTS_PER_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Method:
    """What performs a method, and the scopes of which one is needed."""

    perform: Perform
    scopes: tuple[str, ...] = ()
    needs_token: bool = True


METHODS: dict[str, Method] = {
    "auth.test": Method(people.auth_test),
    "blocks.validate": Method(views.validate, needs_token=False),
    "bots.info": Method(people.bots_info, ("users:read",)),
    "chat.postMessage": Method(chat.post_message, ("chat:write",)),
    "chat.update": Method(chat.update, ("chat:write",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",)),
    "chat.getPermalink": Method(chat.get_permalink),
    "conversations.list": Method(conversations.list_),
    "conversations.info": Method(conversations.info),
    "conversations.history": Method(conversations.history),
    "conversations.replies": Method(conversations.replies),
    "conversations.join": Method(conversations.join),
    "conversations.open": Method(conversations.open_),
    "conversations.members": Method(conversations.members),
    "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",)),
    "users.info": Method(people.users_info, ("users:read",)),
    "users.list": Method(people.users_list, ("users:read",)),
    "usergroups.list": Method(people.usergroups_list, ("usergroups:read",)),
    "usergroups.users.list": Method(people.usergroups_users_list, ("usergroups:read",)),
    "views.open": Method(views.open_),
    "views.push": Method(views.push),
    "views.update": Method(views.update),
    "views.publish": Method(views.publish),
}


@dataclass(slots=True)
class Call:
    """One call of a method: `args` without the token; when it came, in workspace time and in clock seconds.

    `outcome` is "ok" or the error word of a performed call, None while or where it was not performed.
    """

    method: str
    args: Json
    at: datetime
    arrived: float
    outcome: str | None = None
    fault: FaultKind | None = None


@dataclass(slots=True)
class PostingRate:
    """Slack's posting limit: about one message a second in each channel, short bursts allowed."""

    clock: Callable[[], float]
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, channel: str) -> float:
        """Seconds to wait before posting there, 0 where it may go now (and then counts)."""
        left, since = self._left.get(channel, (float(BURST), self.clock()))
        left = min(float(BURST), left + (self.clock() - since) * POSTS_PER_SECOND)
        if left < 1:
            self._left[channel] = (left, self.clock())
            return (1 - left) / POSTS_PER_SECOND
        self._left[channel] = (left - 1, self.clock())
        return 0.0


class RateLimited(Exception):
    """A call beyond the limit; `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("ratelimited")
        self.retry_after = math.ceil(retry_after)


@dataclass(slots=True)
class WebApi:
    """`open_socket` gives the address of a new Socket Mode connection."""

    platform: Platform
    stopping: asyncio.Event
    open_socket: Callable[[], str]
    enforce_rate: bool = False
    calls: list[Call] = field(default_factory=list)
    _rate: PostingRate = field(init=False)

    def __post_init__(self) -> None:
        self._rate = PostingRate(self.platform.clock)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request to `/api/<method>`."""
        method = request.match_info["method"]
        try:
            args = await arguments_of(request)
        except SlackRefusal as refusal:
            return _refusal(refusal)
        token = _token(request, args)
        args.values.pop("token", None)
        call = Call(method, dict(args.values), self.platform.workspace.now(), self.platform.clock())
        self.calls.append(call)
        self.platform.changes.note()
        fault = self.platform.faults.next(method, args.values)
        call.fault = None if fault is None else FaultKind(fault.kind)

        async def perform() -> web.StreamResponse:
            return self._perform(call, args, token)

        try:
            answering = Answering(perform, refuse=_refusal_of_fault, fail=_failure_of_fault)
            return await answer_under(fault, request, answering, self.stopping)
        finally:
            self.platform.changes.note()

    def _perform(self, call: Call, args: Arguments, token: str) -> web.StreamResponse:
        try:
            answer = self._answer(call.method, args, token)
        except SlackRefusal as refusal:
            call.outcome = refusal.error
            return _refusal(refusal)
        except RateLimited as limited:
            call.outcome = "ratelimited"
            return _limited(limited.retry_after)
        call.outcome = "ok"
        self.platform.changes.note()
        response = web.json_response({"ok": True, **answer})
        response.headers["x-oauth-scopes"] = ",".join(sorted(self._scopes_of(token)))
        return response

    def _answer(self, name: str, args: Arguments, token: str) -> Json:
        if name == "apps.connections.open":
            return self._open_connection(token)
        method = METHODS.get(name)
        if method is None:
            raise SlackRefusal("unknown_method", req_method=name)
        if not method.needs_token:
            return method.perform(self.platform, args)
        self._authorize(token)
        if token == self.platform.credentials.app_token:
            if name == "auth.test":
                return {"app_name": "Agent Usage", "app_id": APP_ID}
            raise SlackRefusal("not_allowed_token_type")
        if method.scopes:
            self.platform.credentials.require_scope(*method.scopes)
        if name == "chat.postMessage" and self.enforce_rate:
            self._limit(args.text("channel"))
        return method.perform(self.platform, args)

    def _open_connection(self, token: str) -> Json:
        self._authorize(token)
        if token != self.platform.credentials.app_token:
            raise SlackRefusal("not_allowed_token_type")
        return {"url": self.open_socket()}

    def _authorize(self, token: str) -> None:
        credentials = self.platform.credentials
        if not token:
            raise SlackRefusal("not_authed")
        if token in credentials.revoked:
            raise SlackRefusal("token_revoked")
        if token not in (credentials.bot_token, credentials.app_token):
            raise SlackRefusal("invalid_auth")

    def _limit(self, channel: str) -> None:
        found = self.platform.workspace.find_channel(channel)
        wait = self._rate.wait(found.id if found else channel)
        if wait > 0:
            raise RateLimited(wait)

    def _scopes_of(self, token: str) -> set[str]:
        credentials = self.platform.credentials
        return {"connections:write"} if token == credentials.app_token else credentials.scopes


def _token(request: web.Request, args: Arguments) -> str:
    """From the Authorization header, else the argument `token` of a form or query."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else args.text("token")


def _refusal(refusal: SlackRefusal) -> web.Response:
    return web.json_response({"ok": False, "error": refusal.error, **refusal.extra})


def _limited(retry_after: float) -> web.Response:
    headers = {"Retry-After": f"{retry_after:g}"}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def _refusal_of_fault(fault: Fault) -> web.Response:
    return web.json_response({"ok": False, "error": fault.error}, headers=fault.headers)


def _failure_of_fault(fault: Fault) -> web.Response:
    if fault.status == 429:
        return _limited(fault.retry_after or 1)
    return web.Response(text=fault.body, status=fault.status, content_type="text/html", headers=fault.headers)
