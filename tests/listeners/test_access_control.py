"""Access control: whatever an outsider does gets one sentence or nothing, and reaches no listener."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners import actions
from bot.listeners.access_control import RIGHT_OF, AccessControl, register_access_control, right_for
from bot.listeners.dispatch import Dispatcher
from bot.listeners.http_mode import HttpMode
from bot.listeners.payloads import Payload, read
from bot.listeners.rejected_requests import RejectedRequests
from bot.rules.access import GUEST, OUTSIDER, UNKNOWN, Person, Right, Workspace
from bot.rules.models import Access
from bot.sandbox.slack import SimulatedSlack
from bot.sandbox.slack import workspace as ids
from bot.sandbox.slack.http_mode import HttpAnswer
from bot.sandbox.slack.workspace import MEMBER, SPEND_CHANNEL, TEAM_ID, Message, User, View
from bot.sandbox.world import real_now
from bot.slack.people import People
from bot.slack.response_urls import Responses
from bot.store.admissions import Admissions
from bot.store.database import open_database
from bot.system.network import http_client

Json = dict[str, Any]

STRANGER, GUEST_ID, NOBODY = "U0EXT0001", ids.GUEST, "U0NOBODY1"
REFUSED = {STRANGER: OUTSIDER, GUEST_ID: GUEST, NOBODY: UNKNOWN}
ANYTHING = re.compile(".*")


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


BUTTON = {"type": "button", "action_id": "show_usage", "text": plain("Show usage"), "value": "1"}
MENU = {
    "type": "static_select",
    "action_id": "snooze",
    "options": [{"text": plain("An hour"), "value": "hour:1"}],
}
WORDS = {"type": "section", "text": {"type": "mrkdwn", "text": "Sure?"}}
INPUT = {
    "type": "input",
    "block_id": "amount",
    "label": plain("Amount"),
    "element": {"type": "plain_text_input", "action_id": "amount"},
}


SIGNS: Json = {"trigger_id": "1.2.a"}
PRESSED: Json = {"action_id": "undo", "action_ts": "1763800000.123456"}


def clicked(action_id: str) -> Json:
    return {"type": "block_actions", "user": {"id": "U1"}, "actions": [PRESSED | {"action_id": action_id}]}


@dataclass
class Harness:
    """An app with a listener behind each way in; `heard` is what came through."""

    slack: SimulatedSlack
    client: AsyncWebClient
    heard: list[str] = field(default_factory=list)

    async def message(self) -> Message:
        blocks = [{"type": "actions", "elements": [BUTTON, MENU]}]
        await self.client.chat_postMessage(channel=SPEND_CHANNEL, text="an alert", blocks=blocks)
        return self.slack.messages(SPEND_CHANNEL)[-1]

    async def modal(self, *blocks: Json) -> View:
        """A modal that a member has opened."""
        view = {"type": "modal", "callback_id": "snooze_amount", "title": plain("Snooze"), "blocks": list(blocks)}
        view |= {"submit": plain("Snooze")} if INPUT in blocks else {}
        trigger = self.slack.platform.triggers.issue(MEMBER)
        await self.client.views_open(trigger_id=trigger, view=view)
        return self.slack.workspace.open_views(MEMBER)[-1]

    async def send(self, payload: Json) -> HttpAnswer:
        """An interactive payload that no simulated hand makes."""
        return await self.slack.http.post(urlencode({"payload": json.dumps(payload)}))

    def behind(self, app: AsyncApp) -> None:
        """Listen to everything."""

        async def hear(ack: Any, sent: Payload) -> None:
            self.heard.append(sent.kind or sent.name)
            await ack()

        for register in (app.command, app.action, app.view, app.shortcut, app.options, app.event):
            register(ANYTHING)(hear)
        app.view_closed(ANYTHING)(hear)


@pytest.fixture
async def harness(sqlite_url: str) -> AsyncIterator[Harness]:
    database, later = open_database(sqlite_url), set[asyncio.Task[None]]()

    def keep(work: Coroutine[Any, Any, None]) -> None:
        later.add(asyncio.create_task(work))

    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=slack.bot_token)

    async with SimulatedSlack(real_now) as slack, http_client() as http:
        for user in (User(STRANGER, "eve", team_id="T0OTHER", is_admin=True), User(NOBODY, "ex", visible=False)):
            slack.workspace.add_user(user)
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        people = People(client, Admissions(database), keep)
        people.workspace = Workspace(TEAM_ID)
        app = AsyncApp(client=client, authorize=authorize, request_verification_enabled=False)
        register_access_control(app, AccessControl(people, Access, Responses(http, slack.api_url)), keep)
        found = Harness(slack, client)
        found.behind(app)
        rejected = RejectedRequests(real_now)
        http_mode = HttpMode(Dispatcher(app, rejected), SecretStr(slack.signing_secret), rejected, real_now)
        server = web.Application()
        server.router.add_post("/slack/events", http_mode.answer)
        runner = web.AppRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield found
        await asyncio.gather(*later)
        await runner.cleanup()
    await database.close()


each_refused = pytest.mark.parametrize(("user", "sentence"), REFUSED.items(), ids=["stranger", "guest", "nobody"])


@each_refused
async def test_a_command_is_answered_by_one_sentence(harness: Harness, user: str, sentence: str) -> None:
    for text in ("", "help", "why 1", "nonsense"):
        answers = await (await harness.slack.command("/agent-usage", text, user=user)).answers_so_far(1)
        assert [each.text for each in answers] == [sentence]
        assert answers[0].response_type == "ephemeral"
    assert harness.heard == []


@each_refused
@pytest.mark.parametrize(("element", "value"), [("show_usage", None), ("snooze", "hour:1")])
async def test_a_button_and_a_menu_are_answered_for_the_person_alone(
    harness: Harness, user: str, sentence: str, element: str, value: str | None
) -> None:
    clicked = await harness.slack.click(await harness.message(), element, user=user, value=value)
    answer = await clicked.answer()
    assert (answer.text, answer.response_type) == (sentence, "ephemeral")
    assert (harness.heard, len(harness.slack.ephemerals(user))) == ([], 1)


@each_refused
async def test_a_submission_is_refused_under_its_input_or_by_a_modal_in_its_place(
    harness: Harness, user: str, sentence: str
) -> None:
    asking = await harness.modal(WORDS, INPUT)
    submitted = await harness.slack.submit_view(asking, {"amount": "75"}, user=user)
    assert (submitted.errors, submitted.error) == ({"amount": sentence}, None)
    asking.is_open = False
    telling = await harness.modal(WORDS)
    submitted = await harness.slack.submit_view(telling, user=user)
    assert submitted.error is None
    assert sentence in str(telling.content)
    assert harness.heard == []


async def test_a_click_in_a_view_and_a_shortcut_are_answered_in_a_modal(harness: Harness) -> None:
    view = await harness.modal({"type": "actions", "elements": [BUTTON]})
    clicked = await harness.slack.click(view, "show_usage", user=STRANGER)
    assert OUTSIDER in str((await clicked.view()).content)
    trigger = harness.slack.platform.triggers.issue(GUEST_ID)
    shortcut = {"type": "shortcut", "callback_id": "ask", "trigger_id": trigger, "user": {"id": GUEST_ID}}
    assert (await harness.send(shortcut)).status == 200
    await harness.slack.until(lambda: harness.slack.workspace.open_views(GUEST_ID))
    assert harness.heard == []


async def test_home_and_options_and_what_is_closed_are_answered_with_nothing(harness: Harness) -> None:
    opened = await harness.slack.open_home(user=STRANGER)
    assert (opened.http_status, harness.slack.workspace.home(STRANGER)) == (200, None)
    options = await harness.send({"type": "block_suggestion", "action_id": "rule", "user": stranger()})
    assert json.loads(options.body) == {"options": []}
    closed = {"type": "view_closed", "view": {"type": "modal", "callback_id": "x"}, "user": stranger()}
    nameless = {"type": "block_actions", "actions": [{"action_id": "show_usage"}]}
    for payload in (closed, nameless):
        assert (await harness.send(payload)).status == 200
    assert harness.heard == []


async def test_own_people_go_through_every_way_in(harness: Harness) -> None:
    message, view = await harness.message(), await harness.modal(WORDS, INPUT)
    mo = {"id": MEMBER, "team_id": TEAM_ID}
    await harness.slack.command("/agent-usage", user=MEMBER)
    await harness.slack.click(message, "show_usage", user=MEMBER)
    await harness.slack.submit_view(view, {"amount": "75"})
    await harness.slack.open_home(user=MEMBER)
    await harness.send({"type": "shortcut", "callback_id": "ask", "trigger_id": "1", "user": mo})
    await harness.send({"type": "block_suggestion", "action_id": "rule", "block_id": "b", "value": "", "user": mo})
    await harness.send({"type": "view_closed", "view": {"type": "modal", "callback_id": "x"}, "user": mo})
    assert harness.heard == [
        "/agent-usage",
        "block_actions",
        "view_submission",
        "event_callback",
        "shortcut",
        "block_suggestion",
        "view_closed",
    ]


async def test_an_event_of_nobodys_doing_goes_through(harness: Harness) -> None:
    await harness.slack.event({"type": "channel_archive", "channel": SPEND_CHANNEL})
    assert harness.heard == ["event_callback"]


async def test_whoever_is_remembered_is_let_through_without_another_call(harness: Harness) -> None:
    for _ in range(3):
        await harness.slack.command("/agent-usage", user=MEMBER)
    assert len(harness.slack.calls_of("users.info")) == 1


def stranger() -> Json:
    return {"id": STRANGER, "team_id": "T0OTHER"}


def test_every_button_menu_and_modal_that_is_listened_to_has_a_right() -> None:
    """One without would be open to every viewer."""
    folder = Path(actions.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = re.findall(r"@app\.(?:action|view|options|shortcut)\((\w+)\)", source)
    assert len(named) > 5
    assert {getattr(actions, name) for name in named} == set(RIGHT_OF)


@pytest.mark.parametrize(
    ("body", "person"),
    [
        (
            {"command": "/x", "user_id": "U1", "team_id": "T1", "enterprise_id": "E1", "team_domain": "d"},
            Person("U1", "T1", "E1"),
        ),
        (
            clicked("undo") | {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T2"}},
            Person("U1", "T1"),
        ),
        ({"type": "view_submission", "user": {"id": "U1"}, "team": {"id": "T2"}, "team_id": "T2"}, Person("U1")),
        ({"user": {"id": "U1", "enterprise_user": {"enterprise_id": "E1"}}}, Person("U1", None, "E1")),
        ({"user": {"id": "U1", "team_id": "T1", "enterprise_id": "E1"}}, Person("U1", "T1", "E1")),
        ({"team_id": "T1", "event": {"type": "app_home_opened", "user": "U1"}}, Person("U1", "T1")),
        ({"team_id": "T2", "event": {"type": "x", "user": {"id": "U1", "team_id": "T1"}}}, Person("U1", "T1")),
        ({"team_id": "T1", "event": {"type": "tokens_revoked"}}, None),
        ({"type": "shortcut"}, None),
    ],
    ids=[
        "command",
        "click",
        "no workspace",
        "organisation within",
        "organisation",
        "home",
        "joined",
        "event",
        "nobody",
    ],
)
def test_who_did_it_as_the_payload_says(body: Json, person: Person | None) -> None:
    assert read(SIGNS | body).person == person


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ({"command": "/agent-usage", "user_id": "U1"}, Right.ASK),
        (clicked("undo"), Right.UNDO),
        (clicked("share_answer") | {"view": {"callback_id": "undo"}}, Right.SHARE),
        ({"type": "view_submission", "view": {"callback_id": "snooze_amount"}, "user": {"id": "U1"}}, Right.SNOOZE),
        (clicked("of_an_older_version"), Right.ASK),
        ({"event": {"type": "app_home_opened"}}, Right.ASK),
    ],
)
def test_the_right_that_a_payload_takes(body: Json, right: Right) -> None:
    assert right_for(read(SIGNS | body)) is right
