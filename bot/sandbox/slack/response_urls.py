"""The addresses at which an app answers an act: five posts within thirty minutes (handling user interaction page)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

from aiohttp import web

from bot.sandbox.faults import Answering, Fault, answer_under
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.chat import TS, content
from bot.sandbox.slack.interactions import EXPIRY_SECONDS, MOST_ANSWERS, Answer, Interaction
from bot.sandbox.slack.metadata import metadata_argument
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import BOT_ID, BOT_USER_ID, TEAM_ID, Json, Message, SlackRefusal, with_block_ids

RESPONSE_URL = "response_url"


class Unusable(Exception):
    """A post Slack refuses: the HTTP status and the word in the body."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


@dataclass(slots=True)
class ResponseUrls:
    """`url` gives the server's base address."""

    platform: Platform
    stopping: asyncio.Event
    url: Callable[[], str]
    received: list[Json] = field(default_factory=list)
    _interactions: dict[str, Interaction] = field(default_factory=dict)

    def issue(self, interaction: Interaction) -> str:
        """A fresh address for the answers to this act."""
        key = token_hex(12)
        self._interactions[key] = interaction
        family = "commands" if interaction.kind == "command" else "actions"
        return f"{self.url()}/{family}/{TEAM_ID}/{len(self._interactions)}/{key}"

    def forget(self, but_the_last: int) -> None:
        """Forget the acts of long ago; their addresses lead nowhere then."""
        for key in list(self._interactions)[:-but_the_last]:
            del self._interactions[key]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one POST to such an address."""
        text = await request.text()
        fault = self.platform.faults.next(RESPONSE_URL, _object_or_empty(text))

        async def perform() -> web.StreamResponse:
            try:
                self._take(request.match_info["key"], text)
            except Unusable as refused:
                return web.Response(text=refused.word, status=refused.status)
            return web.Response(text="ok")

        answering = Answering(perform, refuse=_refusal_of_fault, fail=_failure_of_fault)
        return await answer_under(fault, request, answering, self.stopping)

    def _take(self, key: str, text: str) -> None:
        interaction = self._interactions.get(key)
        if interaction is None:
            raise Unusable(404, "no_service")
        if self.platform.clock() - interaction.started > EXPIRY_SECONDS:
            raise Unusable(404, "expired_url")
        if interaction.posts_to_response_url >= MOST_ANSWERS:
            raise Unusable(404, "used_url")
        interaction.posts_to_response_url += 1
        body = _object_or_empty(text)
        if not body:
            raise Unusable(400, "invalid_payload")
        self.received.append(body)
        if body.get("delete_original"):
            _delete_original(interaction)
            self.platform.changes.note()
        else:
            try:
                show_answer(self.platform, interaction, body, RESPONSE_URL)
            except SlackRefusal as refusal:
                raise Unusable(400, refusal.error) from None


def show_answer(platform: Platform, interaction: Interaction, body: Json, source: str) -> None:
    """Show the answer to the person, with `in_channel` to everybody; `replace_original` changes what was acted on."""
    args = Arguments(body)
    text, blocks, _ = content(args)
    metadata = metadata_argument(args) or None
    original = _original(interaction) if body.get("replace_original") else None
    if original is not None:
        original.change(platform.workspace.next_ts(), text, with_block_ids(blocks), metadata)
        shown = original
    else:
        shown = platform.workspace.post(
            Message(
                channel=interaction.channel or platform.workspace.direct_messages_with(interaction.user).id,
                ts=platform.workspace.next_ts(),
                user=BOT_USER_ID,
                bot_id=BOT_ID,
                text=text,
                blocks=blocks,
                metadata=metadata,
                thread_ts=_thread_ts(body),
                visible_to=None if body.get("response_type") == "in_channel" else interaction.user,
            )
        )
    seconds = platform.clock() - interaction.started
    interaction.answers.append(Answer(shown, source, seconds, body, replaced=original is not None))
    platform.changes.note()


def _original(interaction: Interaction) -> Message | None:
    """The message acted on; after a command, which has none, the last answer to it."""
    if interaction.source is not None:
        return interaction.source
    return interaction.answers[-1].message if interaction.answers else None


def _delete_original(interaction: Interaction) -> None:
    if interaction.source is None:
        raise Unusable(400, "delete_original_not_supported")
    interaction.source.deleted = True


def _thread_ts(body: Json) -> str | None:
    thread_ts = str(body.get("thread_ts") or "")
    return thread_ts if TS.fullmatch(thread_ts) else None


def _object_or_empty(text: str) -> Json:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal_of_fault(fault: Fault) -> web.Response:
    return web.Response(text=fault.error, status=400, headers=fault.headers)


def _failure_of_fault(fault: Fault) -> web.Response:
    return web.Response(text=fault.body, status=fault.status, headers=fault.headers)
