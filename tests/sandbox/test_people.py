"""What people do in the workspace, and what an app can answer: commands, clicks, modals, the Home tab."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.faults import Fault
from bot.sandbox.slack import Interaction, Message, SimulatedSlack, View
from bot.sandbox.slack.workspace import ADMIN, MEMBER, SPEND_CHANNEL, TEAM_ID, User
from tests.sandbox.conftest import App, Clock

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


BUTTON = {"type": "button", "action_id": "share", "text": plain("Share"), "value": "report:7"}
SELECT = {
    "type": "static_select",
    "action_id": "snooze",
    "options": [{"text": plain("An hour"), "value": "1h"}, {"text": plain("A day"), "value": "1d"}],
}


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain("x"),
        "element": {"action_id": "v", **element},
        **more,
    }


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Edit"), "submit": plain("Save"), "blocks": list(blocks), **more}


LIMIT = field("limit", {"type": "number_input", "is_decimal_allowed": True, "initial_value": "50"})


async def respond(act: Interaction, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(act.response_url, json=body)


def last_payload(app: App) -> Json:
    payload: Json = json.loads(parse_qs(app.received[-1][1])["payload"][0])
    return payload


async def typed(slack: SimulatedSlack) -> Interaction:
    return await slack.command("/agent-usage")


async def posted(slack: SimulatedSlack, client: AsyncWebClient, *elements: Json) -> Message:
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="original", blocks=actions(*(elements or (BUTTON,))))
    return slack.messages(SPEND_CHANNEL)[-1]


# Answers to a command


async def test_an_answer_is_ephemeral_unless_it_says_otherwise(slack: SimulatedSlack, app: App) -> None:
    result = await slack.command("/agent-usage", user=MEMBER)
    await respond(result, text="for you")
    answer = await result.answer()
    assert (answer.response_type, answer.source) == ("ephemeral", "response_url")
    assert [each.text for each in slack.ephemerals(MEMBER)] == ["for you"]
    assert slack.messages(SPEND_CHANNEL) == []


async def test_an_answer_in_the_channel_is_a_message_there(slack: SimulatedSlack, app: App) -> None:
    await respond(await typed(slack), text="for all", response_type="in_channel")
    assert [each.text for each in slack.messages(SPEND_CHANNEL)] == ["for all"]


async def test_an_answer_works_where_the_bot_is_not_a_member(slack: SimulatedSlack, app: App) -> None:
    slack.workspace.add_channel("private", private=True, members=(ADMIN,))
    result = await slack.command("/agent-usage", channel="private")
    assert parse_qs(app.received[0][1])["channel_name"] == ["privategroup"]
    await respond(result, text="x", response_type="in_channel")
    assert [each.text for each in slack.messages("private")] == ["x"]


async def test_answers_tell_how_long_the_person_waited(slack: SimulatedSlack, app: App, clock: Clock) -> None:
    result = await typed(slack)
    clock.advance(2.5)
    await respond(result, text="x")
    assert (await result.answer()).seconds == 2.5


async def test_five_answers_are_allowed(slack: SimulatedSlack, app: App) -> None:
    result = await typed(slack)
    answers = [await respond(result, text=str(number)) for number in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [404]
    assert answers[-1].text == "used_url"
    assert len(await result.answers_so_far(5)) == 5


async def test_after_thirty_minutes_no_answer_is_taken(slack: SimulatedSlack, app: App, clock: Clock) -> None:
    result = await typed(slack)
    clock.advance(30 * 60)
    assert (await respond(result, text="x")).status_code == 200
    clock.advance(1)
    answer = await respond(result, text="x")
    assert (answer.status_code, answer.text) == (404, "expired_url")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": "x", "blocks": [{"type": "hologram"}]}, "invalid_blocks"),
        ({"response_type": "ephemeral"}, "no_text"),
        ({"delete_original": True}, "delete_original_not_supported"),
    ],
    ids=["bad blocks", "nothing", "deleting a command"],
)
async def test_unusable_answers_are_a_bare_400(slack: SimulatedSlack, app: App, body: Json, error: str) -> None:
    answer = await respond(await typed(slack), **body)
    assert (answer.status_code, answer.text) == (400, error)


async def test_waiting_for_an_answer_that_never_comes_ends(slack: SimulatedSlack, app: App) -> None:
    with pytest.raises(TimeoutError, match="answer 1 to the command"):
        await (await typed(slack)).answer(timeout=0.05)


@pytest.mark.parametrize(
    ("fault", "status", "shown"),
    [
        (Fault("status", status=500), 500, 0),
        (Fault("refuse", error="invalid_blocks"), 400, 0),
        (Fault("accept_then_status", status=502), 502, 1),
    ],
    ids=["status", "refuse", "accept_then_status"],
)
async def test_answering_suffers_faults(slack: SimulatedSlack, app: App, fault: Fault, status: int, shown: int) -> None:
    slack.faults.add("response_url", fault)
    result = await typed(slack)
    assert (await respond(result, text="x")).status_code == status
    assert len(result.answers) == shown


async def test_a_person_in_direct_messages_has_no_channel_name(slack: SimulatedSlack, app: App) -> None:
    channel = slack.workspace.direct_messages_with(ADMIN)
    await slack.command("/agent-usage", channel=channel.id)
    assert parse_qs(app.received[0][1])["channel_name"] == ["directmessage"]


# Clicks


async def test_a_click_on_a_message_carries_the_documented_fields(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    message = await posted(slack, client)
    await slack.click(message, "share", user=MEMBER)
    payload = last_payload(app)
    assert payload["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": SPEND_CHANNEL,
        "is_ephemeral": False,
    }
    assert payload["channel"] == {"id": SPEND_CHANNEL, "name": "voice-spend"}
    assert payload["user"]["id"] == MEMBER
    assert payload["message"]["text"] == "original"
    assert payload["state"] == {"values": {}}
    action = payload["actions"][0]
    assert (action["action_id"], action["value"], action["block_id"]) == (
        "share",
        "report:7",
        message.blocks[0]["block_id"],
    )


async def test_whatever_somebody_of_another_organisation_does_names_their_workspace(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    slack.workspace.add_user(User("U0EXT0001", "eve", team_id="T0OTHER", enterprise_id="E0OTHER"))
    message = await posted(slack, client)
    await slack.click(message, "share", user="U0EXT0001")
    payload = last_payload(app)
    assert (payload["user"]["team_id"], payload["team"]["id"], payload["enterprise"]) == ("T0OTHER", TEAM_ID, None)
    await slack.command("/agent-usage", user="U0EXT0001")
    typed = parse_qs(app.received[-1][1])
    assert (typed["team_id"], typed["enterprise_id"]) == (["T0OTHER"], ["E0OTHER"])
    slack.workspace.enterprise_id = "E0OURS"
    await slack.click(message, "share", user=MEMBER)
    payload = last_payload(app)
    assert "enterprise_id" not in payload["user"]
    assert (payload["enterprise"]["id"], payload["team"]["enterprise_id"]) == ("E0OURS", "E0OURS")
    await slack.open_home(user=MEMBER)
    assert json.loads(app.received[-1][1])["enterprise_id"] == "E0OURS"


async def test_a_choice_is_made_by_its_value(slack: SimulatedSlack, app: App, client: AsyncWebClient) -> None:
    await slack.click(await posted(slack, client, BUTTON, SELECT), "snooze", value="1d")
    assert last_payload(app)["actions"][0]["selected_option"] == SELECT["options"][1]


async def test_a_button_that_is_not_there_cannot_be_clicked(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    with pytest.raises(LookupError, match="there are: share"):
        await slack.click(await posted(slack, client), "delete")


async def test_an_ephemeral_answer_is_clicked_shared_and_replaced(slack: SimulatedSlack, app: App) -> None:
    app.answers.append(web.json_response({"response_type": "ephemeral", "text": "yours", "blocks": actions(BUTTON)}))
    answer = await (await typed(slack)).answer()
    clicked = await slack.click(answer, "share")
    payload = last_payload(app)
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    await respond(clicked, text="for all", response_type="in_channel")
    await respond(clicked, text="Shared.", replace_original=True, response_type="in_channel")
    assert [each.text for each in slack.messages(SPEND_CHANNEL)] == ["for all"]
    assert [each.text for each in slack.ephemerals(ADMIN)] == ["Shared."]


async def test_a_click_can_replace_or_delete_its_message(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    message = await posted(slack, client)
    clicked = await slack.click(message, "share")
    await respond(clicked, text="done", replace_original=True)
    assert (message.text, message.blocks, len(message.edits)) == ("done", [], 1)
    await respond(clicked, delete_original=True)
    assert slack.messages(SPEND_CHANNEL) == []


# Modals


async def opened(slack: SimulatedSlack, client: AsyncWebClient, view: Json) -> View:
    result = await typed(slack)
    await client.views_open(trigger_id=result.trigger_id, view=view)
    return await result.view()


async def test_a_trigger_opens_one_modal_within_three_seconds(
    slack: SimulatedSlack, app: App, client: AsyncWebClient, clock: Clock
) -> None:
    first, second = await typed(slack), await typed(slack)
    await client.views_open(trigger_id=first.trigger_id, view=modal(LIMIT))
    clock.advance(3.1)
    errors = []
    for trigger in (first.trigger_id, second.trigger_id, "1.2.3"):
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=trigger, view=modal(LIMIT))
        errors.append(refused.value.response["error"])
    assert errors == ["exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"]


async def test_a_submission_carries_what_the_inputs_hold(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    boxes = {"type": "checkboxes", "options": SELECT["options"]}
    channel = {"type": "conversations_select", "response_url_enabled": True}
    blocks = (
        LIMIT,
        field("name", {"type": "plain_text_input"}),
        field("when", {**SELECT, "action_id": "v"}),
        field("which", boxes, optional=True),
        field("where", channel),
        field("who", {"type": "multi_users_select"}, optional=True),
        field("day", {"type": "datepicker", "initial_date": "2026-03-01"}),
    )
    view = await opened(slack, client, modal(*blocks, private_metadata="rule:7"))
    chosen = {"name": "Daily", "when": "1h", "which": ["1d"], "where": SPEND_CHANNEL, "who": [MEMBER]}
    result = await slack.submit_view(view, chosen)
    payload = last_payload(app)
    values = {block_id: held["v"] for block_id, held in payload["view"]["state"]["values"].items()}
    assert payload["view"]["private_metadata"] == "rule:7"
    assert values["limit"] == {"type": "number_input", "value": "50"}
    assert values["name"]["value"] == "Daily"
    assert values["when"]["selected_option"]["value"] == "1h"
    assert [each["value"] for each in values["which"]["selected_options"]] == ["1d"]
    assert values["where"]["selected_conversation"] == SPEND_CHANNEL
    assert values["who"]["selected_users"] == [MEMBER]
    assert values["day"]["selected_date"] == "2026-03-01"
    assert payload["response_urls"][0]["channel_id"] == SPEND_CHANNEL
    assert not view.is_open
    await respond(result, text="Saved.", response_type="in_channel")
    assert [each.text for each in slack.messages(SPEND_CHANNEL)] == ["Saved."]


async def test_an_input_that_is_not_there_cannot_be_filled_in(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    view = await opened(slack, client, modal(LIMIT))
    with pytest.raises(LookupError, match="budget"):
        await slack.submit_view(view, {"budget": "1"})


async def test_errors_keep_the_modal_open(slack: SimulatedSlack, app: App, client: AsyncWebClient) -> None:
    view = await opened(slack, client, modal(LIMIT))
    app.answers.append(web.json_response({"response_action": "errors", "errors": {"limit": "Too low"}}))
    result = await slack.submit_view(view, {"limit": "0"})
    assert (result.errors, result.error, view.is_open) == ({"limit": "Too low"}, None, True)


async def test_errors_must_name_inputs(slack: SimulatedSlack, app: App, client: AsyncWebClient) -> None:
    view = await opened(slack, client, modal(LIMIT))
    app.answers.append(web.json_response({"response_action": "errors", "errors": {"nowhere": "Too low"}}))
    assert (await slack.submit_view(view)).error == "invalid_command_response"


async def test_an_update_changes_the_modal_and_its_hash(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    view = await opened(slack, client, modal(LIMIT))
    before = view.hash
    saving = modal({"type": "section", "text": plain("Saving…")}, external_id="saving-1")
    app.answers.append(web.json_response({"response_action": "update", "view": saving}))
    result = await slack.submit_view(view)
    assert (await result.view()).blocks[0]["text"]["text"] == "Saving…"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view.id, hash=before, view=modal(LIMIT))
    await client.views_update(external_id="saving-1", view=modal({"type": "section", "text": plain("Saved")}))
    assert view.blocks[0]["text"]["text"] == "Saved"


async def test_at_most_three_modals_are_stacked_and_clear_closes_all(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    view = await opened(slack, client, modal(LIMIT))
    for _ in range(2):
        await client.views_push(trigger_id=(await typed(slack)).trigger_id, view=modal(LIMIT))
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=(await typed(slack)).trigger_id, view=modal(LIMIT))
    stack = slack.workspace.open_views(ADMIN)
    assert [each.previous_id for each in stack] == [None, view.id, stack[1].id]
    app.answers.append(web.json_response({"response_action": "clear"}))
    await slack.submit_view(stack[-1])
    assert slack.workspace.open_views(ADMIN) == []


async def test_an_external_id_is_unique(slack: SimulatedSlack, app: App, client: AsyncWebClient) -> None:
    await opened(slack, client, modal(LIMIT, external_id="one"))
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await opened(slack, client, modal(LIMIT, external_id="one"))


async def test_closing_is_told_only_where_the_view_asks(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    quiet = await opened(slack, client, modal(LIMIT))
    assert await slack.close_view(quiet) is None
    telling = await opened(slack, client, modal(LIMIT, notify_on_close=True))
    await slack.close_view(telling)
    assert last_payload(app)["type"] == "view_closed"


async def test_a_click_in_a_modal_carries_the_view_and_no_channel(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    view = await opened(slack, client, modal(LIMIT, *actions(BUTTON)))
    await slack.click(view, "share", state={"limit": "75"})
    payload = last_payload(app)
    assert payload["container"] == {"type": "view", "view_id": view.id}
    assert payload["view"]["hash"] == view.hash
    assert payload["view"]["state"]["values"]["limit"]["v"]["value"] == "75"
    assert not {"channel", "message", "response_url"} & payload.keys()


async def test_opening_the_home_tab_is_an_event_and_shows_what_is_published(
    slack: SimulatedSlack, app: App, client: AsyncWebClient
) -> None:
    opening = await slack.open_home(MEMBER)
    event = json.loads(app.received[0][1])["event"]
    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", MEMBER, "home")
    await client.views_publish(user_id=MEMBER, view={"type": "home", "blocks": actions(BUTTON)})
    home = await opening.view()
    await slack.click(home, "share", user=MEMBER)
    assert last_payload(app)["view"]["type"] == "home"
    await slack.open_home(MEMBER)
    assert json.loads(app.received[-1][1])["event"]["view"]["id"] == home.id
