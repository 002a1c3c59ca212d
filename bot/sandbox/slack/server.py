"""The simulated Slack: one server for the Web API, Socket Mode and answers, and the hands of the people in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from aiohttp import web

from bot.sandbox.changes import Changes
from bot.sandbox.faults import Faults
from bot.sandbox.loopback import LoopbackServer
from bot.sandbox.slack import payloads
from bot.sandbox.slack.api import Call, WebApi
from bot.sandbox.slack.deliveries import ACK_SECONDS, Delivery
from bot.sandbox.slack.http_mode import HttpMode
from bot.sandbox.slack.interactions import Answer, Interaction
from bot.sandbox.slack.platform import Credentials, Platform, Triggers
from bot.sandbox.slack.response_urls import ResponseUrls, show_answer
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.views import change, push_for, refused_view
from bot.sandbox.slack.workspace import (
    ADMIN,
    SPEND_CHANNEL,
    Channel,
    Files,
    Json,
    Message,
    SlackRefusal,
    View,
    Workspace,
    sandbox_workspace,
)

Found = TypeVar("Found")


class SimulatedSlack(LoopbackServer):
    """A workspace with the bot installed. Everything may be looked at and changed while it runs.

    `now` stamps messages; `clock` counts seconds for Slack's own limits. `faults` take method names, `response_url`
    and `socket`. While `request_url` is None, commands and clicks go through Socket Mode, else they are POSTed there.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        enforce_rate: bool = False,
        ack_seconds: float = ACK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(host, port)
        credentials = Credentials()
        files = Files(lambda: self.url, {})
        self.platform = Platform(sandbox_workspace(now), credentials, clock, Triggers(clock), files)
        self.socket = SocketMode(self.platform, self.stopping, lambda: self.url, ack_seconds)
        self.http = HttpMode(self.platform, ack_seconds=ack_seconds)
        self.response_urls = ResponseUrls(self.platform, self.stopping, lambda: self.url)
        self.api = WebApi(self.platform, self.stopping, self.socket.open_url, enforce_rate)

    @property
    def api_url(self) -> str:
        """What stands before a method's name."""
        return f"{self.url}/api/"

    @property
    def workspace(self) -> Workspace:
        return self.platform.workspace

    @property
    def faults(self) -> Faults:
        return self.platform.faults

    @property
    def changes(self) -> Changes:
        return self.platform.changes

    @property
    def credentials(self) -> Credentials:
        return self.platform.credentials

    @property
    def bot_token(self) -> str:
        return self.credentials.bot_token

    @property
    def app_token(self) -> str:
        return self.credentials.app_token

    @property
    def signing_secret(self) -> str:
        return self.credentials.signing_secret

    @property
    def scopes(self) -> set[str]:
        """What the bot token was granted; add to it or take away."""
        return self.credentials.scopes

    @property
    def request_url(self) -> str | None:
        return self.http.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self.http.request_url = url

    @property
    def calls(self) -> list[Call]:
        """Every Web API call that arrived, in order."""
        return self.api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Every payload that was sent to the app, through either transport."""
        return sorted([*self.socket.deliveries, *self.http.deliveries], key=lambda each: each.sent_at)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/{method}", self.api.answer, allow_head=False),
            web.post("/api/{method}", self.api.answer),
            web.get("/link/", self.socket.answer, allow_head=False),
            web.post("/commands/{team}/{number}/{key}", self.response_urls.answer),
            web.post("/actions/{team}/{number}/{key}", self.response_urls.answer),
            web.post("/upload/{file}/{secret}", self._receive_file),
        ]

    async def stop(self) -> None:
        self.stopping.set()
        self.socket.drop_all()
        await self.http.close()
        await super().stop()

    def revoke(self, token: str) -> None:
        """Let Slack refuse this token with `token_revoked`; revoking the app token breaks its sockets."""
        self.credentials.revoked.add(token)
        if token == self.app_token:
            self.socket.drop_all()

    def restore(self, token: str) -> None:
        """Let the token be valid again."""
        self.credentials.revoked.discard(token)

    def channel(self, name_or_id: str) -> Channel:
        """By id, "#name" or name; LookupError where there is none."""
        found = self.workspace.find_channel(name_or_id)
        if found is None:
            raise LookupError(f"no channel {name_or_id}")
        return found

    def messages(self, channel: str) -> list[Message]:
        """What the channel shows, oldest first: no replies but broadcast ones, nothing ephemeral, nothing deleted."""
        return [each for each in self.workspace.visible(self.channel(channel).id) if each.in_channel]

    def thread(self, parent: Message) -> list[Message]:
        """The replies under the message, oldest first."""
        return self.workspace.replies(parent)

    def threads(self, channel: str) -> dict[str, list[Message]]:
        """The replies of the channel by their parent's ts."""
        found: dict[str, list[Message]] = {}
        for message in self.workspace.visible(self.channel(channel).id):
            if message.is_reply and message.thread_ts is not None:
                found.setdefault(message.thread_ts, []).append(message)
        return found

    def posts_with_id(self, wanted: Any) -> list[Message]:
        """Every message, replies and deleted ones too, whose metadata payload has this `id`."""
        return [each for each in self.workspace.posted if _metadata_id(each) == wanted]

    def ephemerals(self, user: str) -> list[Message]:
        """What only this user sees, oldest first."""
        return [each for each in self.workspace.posted if each.visible_to == user and not each.deleted]

    def direct_messages(self, user: str) -> list[Message]:
        """What the bot and this user wrote each other."""
        return self.messages(self.workspace.direct_messages_with(user).id)

    def calls_of(self, method: str) -> list[Call]:
        return [each for each in self.calls if each.method == method]

    async def until(self, ready: Callable[[], Found | None], timeout: float = 5.0, what: str = "a change") -> Found:
        """The first true value of `ready`, asked again after each change; TimeoutError after `timeout` seconds."""
        return await self.changes.until(ready, timeout, what)

    def say(self, channel: str, text: str, user: str = ADMIN, thread_ts: str | None = None) -> Message:
        """A person writes in a channel: text, which calls nobody and links nowhere."""
        place = self.channel(channel)
        message = Message(place.id, self.workspace.next_ts(), user, payloads.escaped(text), thread_ts=thread_ts)
        self.workspace.post(message)
        self.changes.note()
        return message

    async def command(
        self, command: str, text: str = "", *, user: str = ADMIN, channel: str = SPEND_CHANNEL
    ) -> Interaction:
        """A person types a slash command; returns once it is acknowledged or has failed."""
        place = self.channel(channel)
        typed = self._begin("command", user, place.id)
        typed.response_url = self.response_urls.issue(typed)
        person = self.workspace.users[user]
        payload = payloads.slash_command(command, text, person, place, typed.trigger_id, typed.response_url)
        await self._deliver(typed, "slash_commands", payload)
        return typed

    async def click(
        self,
        target: Message | Answer | View,
        action_id: str,
        *,
        user: str = ADMIN,
        value: Any = None,
        state: Json | None = None,
    ) -> Interaction:
        """A person uses a button or a menu; `value` is the option's value, the chosen id, or replaces a button's value.

        `state` says what the inputs beside it hold, as in `submit_view`. LookupError where there is no such element.
        """
        shown = target.message if isinstance(target, Answer) else target
        found = payloads.element_within(shown.blocks, action_id)
        picked = payloads.Picked(found.element, found.block_id, value)
        held = payloads.state_of(shown.blocks, state or {})
        person, stamp = self.workspace.users[user], self.workspace.next_ts()
        if isinstance(shown, View):
            clicked = self._begin("click", user, None)
            clicked.view_id, clicked.view_hash = shown.id, shown.hash
            payload = payloads.block_actions_in_view(shown, picked, person, clicked.trigger_id, stamp, held)
        else:
            clicked = self._begin("click", user, shown.channel)
            clicked.source = shown
            clicked.response_url = self.response_urls.issue(clicked)
            place = self.workspace.channels[shown.channel]
            payload = payloads.block_actions_on_message(
                shown, picked, person, place, clicked.trigger_id, clicked.response_url, stamp, held
            )
        await self._deliver(clicked, "interactive", payload)
        return clicked

    async def submit_view(self, view: View, values: Json | None = None, user: str | None = None) -> Interaction:
        """A person fills in a modal and submits it.

        `values` by block id or action id: typed text, an option's value, a list of them for checkboxes, a chosen id.
        What is not given keeps its initial value. The app's `response_action` is carried out; refusals are in `errors`.
        """
        user = user or view.user
        state = payloads.state_of(view.blocks, values or {})
        submitted = self._begin("submission", user, None)
        submitted.view_id, submitted.view_hash = view.id, view.hash
        person = self.workspace.users[user]
        urls = self._urls_of_selects(submitted, view, state)
        payload = payloads.view_submission(view, person, submitted.trigger_id, state, urls)
        await self._deliver(submitted, "interactive", payload)
        if submitted.acknowledged:
            self._carry_out(submitted, view)
        self.changes.note()
        return submitted

    async def close_view(self, view: View) -> Interaction | None:
        """A person closes a modal; the app is told only where the view has `notify_on_close`."""
        view.is_open = False
        self.changes.note()
        if not view.content.get("notify_on_close"):
            return None
        closed = self._begin("closing", view.user, None)
        person = self.workspace.users[view.user]
        await self._deliver(closed, "interactive", payloads.view_closed(view, person, is_cleared=False))
        return closed

    async def open_home(self, user: str = ADMIN, tab: str = "home") -> Interaction:
        """A person opens the app's Home (or Messages) tab."""
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.workspace.direct_messages_with(user).id,
            "tab": tab,
            "event_ts": self.workspace.next_ts(),
        }
        home = self.workspace.home(user)
        if home is not None and tab == "home":
            event["view"] = home.json()
        seen = None if home is None else home.hash
        return await self.event(event, user=user, kind="home", view_hash=seen)

    async def event(
        self,
        event: Json,
        *,
        user: str = ADMIN,
        kind: str = "event",
        event_id: str = "",
        retry: int = 0,
        view_hash: str | None = None,
    ) -> Interaction:
        """Send an event of the Events API; with `retry`, as a repetition of the event with this id."""
        happened = self._begin(kind, user, event.get("channel"))
        happened.view_hash = view_hash
        payload = payloads.event_callback(event, event_id, int(self.workspace.now().timestamp()))
        again = {"retry_attempt": retry, "retry_reason": "timeout"} if retry else None
        await self._deliver(happened, "events_api", payload, again)
        return happened

    async def replay(self, act: Interaction) -> Interaction:
        """Somebody who has the request sends it again: the same payload; returns what comes of that."""
        assert act.sent is not None
        again = Interaction(self.platform, act.kind, act.user, act.channel, self.platform.clock(), act.source)
        await self._deliver(again, *act.sent)
        return again

    def _begin(self, kind: str, user: str, channel: str | None) -> Interaction:
        started = self.platform.clock()
        return Interaction(self.platform, kind, user, channel, started, trigger_id=self.platform.triggers.issue(user))

    async def _deliver(self, act: Interaction, kind: str, payload: Json, retry: Json | None = None) -> None:
        def acknowledged(delivery: Delivery) -> None:
            act.acknowledged = True
            act.ack_seconds = delivery.ack_seconds
            act.ack_body = delivery.body
            if act.kind == "command":
                self._show_ack(act)

        if self.workspace.enterprise_id:
            payload = payloads.on_grid(payload, self.workspace.enterprise_id)
        act.sent = kind, payload
        delivery = Delivery(str(uuid4()), kind, payload, self.platform.clock(), on_ack=acknowledged)
        transport = self.socket if self.http.request_url is None else self.http
        await transport.deliver(delivery, retry)
        act.http_status = delivery.http_status
        act.error = act.error or delivery.error
        self.changes.note()

    def _show_ack(self, typed: Interaction) -> None:
        """Show what the acknowledgement of a command carried."""
        body = {"text": typed.ack_body} if isinstance(typed.ack_body, str) else typed.ack_body
        if not body or body.keys() <= {"response_type"}:
            return
        try:
            show_answer(self.platform, typed, body, "ack")
        except SlackRefusal:
            typed.error = "invalid_command_response"

    def _carry_out(self, submitted: Interaction, view: View) -> None:
        """Do what the answer to a submission asks: close, clear, show errors, update, push."""
        body = submitted.ack_body if isinstance(submitted.ack_body, dict) else {}
        match body.get("response_action"):
            case "errors":
                submitted.errors = dict(body.get("errors", {}))
                inputs = {each["block_id"] for each in view.blocks if each["type"] == "input"}
                if not submitted.errors or not submitted.errors.keys() <= inputs:
                    submitted.error = "invalid_command_response"
            case "clear":
                for each in self.workspace.open_views(view.user):
                    each.is_open = False
            case "update" | "push" as action:
                self._replace_or_push(submitted, view, action, body.get("view"))
            case _:
                view.is_open = False

    def _replace_or_push(self, submitted: Interaction, view: View, action: str, content: Any) -> None:
        refusal = refused_view(content)
        if refusal is not None:
            submitted.error = "invalid_command_response"
        elif action == "update":
            change(view, content)
        else:
            submitted.view_id = push_for(self.platform, view.user, content).id

    def _urls_of_selects(self, submitted: Interaction, view: View, state: Json) -> list[Json]:
        """One answering address for each conversation chosen where `response_url_enabled` is set."""
        urls = []
        for block in view.blocks:
            element = block.get("element", {})
            if not element.get("response_url_enabled"):
                continue
            held = state[block["block_id"]][element["action_id"]]
            channel = held.get("selected_conversation") or held.get("selected_channel")
            if channel:
                submitted.channel = channel
                url = submitted.response_url = self.response_urls.issue(submitted)
                urls.append(
                    {
                        "block_id": block["block_id"],
                        "action_id": element["action_id"],
                        "channel_id": channel,
                        "response_url": url,
                    }
                )
        return urls

    async def _receive_file(self, request: web.Request) -> web.StreamResponse:
        body = await _uploaded_bytes(request)
        taken = self.platform.files.receive(request.match_info["file"], request.match_info["secret"], body)
        return web.Response(text=f"OK - {len(body)}" if taken else "invalid upload", status=200 if taken else 400)


async def _uploaded_bytes(request: web.Request) -> bytes:
    """The bytes of an upload, sent bare or as the first part of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    part = await (await request.multipart()).next()
    return bytes(await part.read()) if part is not None and hasattr(part, "read") else b""


def _metadata_id(message: Message) -> Any:
    return None if message.metadata is None else message.metadata["event_payload"].get("id")
