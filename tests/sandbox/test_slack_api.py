"""The simulated Web API answers as Slack documents, asked by Slack's own client."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.faults import Fault
from bot.sandbox.slack import SimulatedSlack
from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID, GENERAL_CHANNEL, GUEST, MEMBER, SPEND_CHANNEL, User
from tests.sandbox.conftest import Clock

Json = dict[str, Any]
METADATA = {"event_type": "agent_usage_bot", "event_payload": {"id": "a1", "kind": "alert"}}


def section(text: str = "hello") -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def refusal(call: Any) -> Json:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as refused:
        await call
    answer: Json = refused.value.response.data
    return answer


# Tokens and scopes


async def test_auth_test_says_who_the_bot_is_and_what_it_may(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.scopes.clear()
    slack.scopes.update({"commands", "chat:write"})
    answer = await client.auth_test()
    assert (answer["user_id"], answer["team_id"], answer["ok"]) == (BOT_USER_ID, "T0SANDBOX1", True)
    assert answer.headers["x-oauth-scopes"] == "chat:write,commands"


@pytest.mark.parametrize(
    ("headers", "error"), [({}, "not_authed"), ({"Authorization": "Bearer xoxb-wrong"}, "invalid_auth")]
)
async def test_tokens_must_be_right(slack: SimulatedSlack, headers: dict[str, str], error: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{slack.api_url}auth.test", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


async def test_another_sites_page_is_refused_under_a_name_of_its_own(slack: SimulatedSlack) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{slack.api_url}auth.test", headers={"Host": "evil.example"}, data={"token": slack.bot_token}
        )
    assert answer.status_code == 403


def test_no_two_workspaces_have_the_same_tokens(slack: SimulatedSlack) -> None:
    other = SimulatedSlack(slack.workspace.now)
    for name in ("bot_token", "app_token", "signing_secret"):
        assert getattr(slack, name) != getattr(other, name)


async def test_a_token_may_come_as_a_form_field(slack: SimulatedSlack) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{slack.api_url}auth.test", data={"token": slack.bot_token})
    assert answer.json()["ok"]


async def test_a_revoked_token_is_refused_until_restored(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.revoke(slack.bot_token)
    assert (await refusal(client.auth_test()))["error"] == "token_revoked"
    slack.restore(slack.bot_token)
    assert (await client.auth_test())["ok"]


async def test_each_kind_of_token_has_its_methods(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    assert (await refusal(client.apps_connections_open(app_token=slack.bot_token)))["error"] == "not_allowed_token_type"
    posted = client.api_call("users.list", headers={"Authorization": f"Bearer {slack.app_token}"})
    assert (await refusal(posted))["error"] == "not_allowed_token_type"
    assert (await client.apps_connections_open(app_token=slack.app_token))["url"].startswith("ws://127.0.0.1:")


async def test_a_missing_scope_is_named(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.scopes.discard("users:read")
    answer = await refusal(client.users_info(user=ADMIN))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert "chat:write" in answer["provided"]


@pytest.mark.parametrize(
    ("scope", "method", "args"),
    [
        ("chat:write", "chat.postMessage", {"channel": SPEND_CHANNEL, "text": "x"}),
        ("channels:read", "conversations.list", {}),
        ("groups:read", "conversations.list", {"types": "public_channel,private_channel"}),
        ("channels:read", "conversations.info", {"channel": SPEND_CHANNEL}),
        ("channels:history", "conversations.history", {"channel": SPEND_CHANNEL}),
        ("channels:join", "conversations.join", {"channel": GENERAL_CHANNEL}),
        ("usergroups:read", "usergroups.list", {}),
        ("im:write", "conversations.open", {"users": ADMIN}),
        ("files:write", "files.getUploadURLExternal", {"filename": "x", "length": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_methods_need_their_scopes(
    slack: SimulatedSlack, client: AsyncWebClient, scope: str, method: str, args: Json
) -> None:
    assert (await client.api_call(method, params=args))["ok"]
    slack.scopes.discard(scope)
    answer = await refusal(client.api_call(method, params=args))
    assert answer["error"] == "missing_scope"
    assert scope in answer["needed"].split(",")


async def test_an_unknown_method_is_named(client: AsyncWebClient) -> None:
    assert await refusal(client.api_call("chat.shout")) == {
        "ok": False,
        "error": "unknown_method",
        "req_method": "chat.shout",
    }


# Posting


async def test_a_post_is_kept_with_all_it_carries(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=SPEND_CHANNEL, text="hi", blocks=[section()], metadata=METADATA)
    message = slack.messages("#voice-spend")[0]
    assert (message.ts, message.text, message.metadata) == (answer["ts"], "hi", METADATA)
    assert message.blocks[0]["text"]["text"] == "hello"
    assert slack.posts_with_id("a1") == [message]


async def test_blocks_and_metadata_may_come_as_form_fields(slack: SimulatedSlack) -> None:
    form = {
        "channel": SPEND_CHANNEL,
        "blocks": '[{"type":"divider"}]',
        "metadata": '{"event_type":"a","event_payload":{}}',
    }
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {slack.bot_token}"}) as http:
        answer = await http.post(f"{slack.api_url}chat.postMessage", data=form)
    assert answer.json()["ok"]
    assert slack.messages(SPEND_CHANNEL)[0].metadata == {"event_type": "a", "event_payload": {}}


@pytest.mark.parametrize("name", ["#voice-spend", "voice-spend", SPEND_CHANNEL])
async def test_a_channel_is_found_by_name_and_answered_with_its_id(client: AsyncWebClient, name: str) -> None:
    assert (await client.chat_postMessage(channel=name, text="x"))["channel"] == SPEND_CHANNEL


async def test_a_user_id_means_direct_messages(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=MEMBER, text="psst")
    assert answer["channel"].startswith("D")
    assert [each.text for each in slack.direct_messages(MEMBER)] == ["psst"]


async def test_stamps_are_unique_and_increase_while_the_clock_stands(client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=SPEND_CHANNEL, text="x"))["ts"] for _ in range(3)]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == "1773144000.000000"


@pytest.mark.parametrize(
    ("private", "archived", "member", "public_scope", "error"),
    [
        (False, False, True, False, None),
        (False, False, False, True, None),
        (False, False, False, False, "not_in_channel"),
        (True, False, True, False, None),
        (True, False, False, True, "channel_not_found"),
        (False, True, True, True, "is_archived"),
    ],
    ids=["member", "public", "public without scope", "private member", "private", "archived"],
)
async def test_where_the_bot_may_post(
    slack: SimulatedSlack,
    client: AsyncWebClient,
    private: bool,
    archived: bool,
    member: bool,
    public_scope: bool,
    error: str | None,
) -> None:
    members = (BOT_USER_ID,) if member else ()
    channel = slack.workspace.add_channel("x", private=private, archived=archived, members=members)
    if not public_scope:
        slack.scopes.discard("chat:write.public")
    if error is None:
        assert (await client.chat_postMessage(channel=channel.id, text="x"))["ok"]
    else:
        assert (await refusal(client.chat_postMessage(channel=channel.id, text="x")))["error"] == error


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "channel_not_found"),
        ({"channel": SPEND_CHANNEL}, "no_text"),
        ({"channel": SPEND_CHANNEL, "text": "", "blocks": []}, "no_text"),
        ({"channel": SPEND_CHANNEL, "text": "x", "blocks": "{nonsense"}, "invalid_blocks_format"),
        ({"channel": SPEND_CHANNEL, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        (
            {"channel": SPEND_CHANNEL, "text": "x", "metadata": {"event_type": "a", "event_payload": {"Id": 1}}},
            "invalid_metadata_schema",
        ),
        (
            {"channel": SPEND_CHANNEL, "text": "x", "metadata": {"event_type": "a", "event_payload": {"a": [1]}}},
            "invalid_metadata_schema",
        ),
        ({"channel": SPEND_CHANNEL, "text": "x", "thread_ts": "soon"}, "invalid_thread_ts"),
        ({"channel": SPEND_CHANNEL, "text": "x", "thread_ts": "1500000000.000001"}, "thread_not_found"),
        ({"channel": SPEND_CHANNEL, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_unusable_posts_are_refused(
    slack: SimulatedSlack, client: AsyncWebClient, args: Json, error: str
) -> None:
    assert (await refusal(client.api_call("chat.postMessage", json=args)))["error"] == error
    assert slack.messages(SPEND_CHANNEL) == []


async def test_bad_blocks_refuse_the_whole_message_and_say_where(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    answer = await refusal(client.chat_postMessage(channel=SPEND_CHANNEL, text="x", blocks=[section("x" * 3001)]))
    told = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [told]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {told}"]
    assert slack.messages(SPEND_CHANNEL) == []


async def test_a_long_text_is_cut(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="x" * 40_001)
    assert len(slack.messages(SPEND_CHANNEL)[0].text) == 40_000


async def test_replies_stay_in_their_thread_unless_broadcast(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=SPEND_CHANNEL, text="parent")
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="quiet", thread_ts=parent["ts"])
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="loud", thread_ts=parent["ts"], reply_broadcast=True)
    assert [each.text for each in slack.messages(SPEND_CHANNEL)] == ["parent", "loud"]
    assert [each.text for each in slack.threads(SPEND_CHANNEL)[parent["ts"]]] == ["quiet", "loud"]


async def test_a_reply_cannot_be_a_parent(client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=SPEND_CHANNEL, text="parent")
    reply = await client.chat_postMessage(channel=SPEND_CHANNEL, text="reply", thread_ts=parent["ts"])
    answer = await refusal(client.chat_postMessage(channel=SPEND_CHANNEL, text="x", thread_ts=reply["ts"]))
    assert answer["error"] == "cannot_reply_to_message"


async def test_an_ephemeral_message_is_seen_by_one_person_and_read_by_no_method(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel=SPEND_CHANNEL, user=ADMIN, text="only you")
    assert [each.text for each in slack.ephemerals(ADMIN)] == ["only you"]
    assert slack.ephemerals(MEMBER) == slack.messages(SPEND_CHANNEL) == []
    edit = client.chat_update(channel=SPEND_CHANNEL, ts=answer["message_ts"], text="x")
    assert (await refusal(edit))["error"] == "message_not_found"


@pytest.mark.parametrize(
    ("channel", "user", "error"),
    [(GENERAL_CHANNEL, ADMIN, "not_in_channel"), (SPEND_CHANNEL, GUEST, "user_not_in_channel")],
    ids=["without the bot", "without the person"],
)
async def test_an_ephemeral_message_needs_both_in_the_channel(
    client: AsyncWebClient, channel: str, user: str, error: str
) -> None:
    assert (await refusal(client.chat_postEphemeral(channel=channel, user=user, text="x")))["error"] == error


async def test_posting_too_fast_is_limited_per_channel(clock: Clock) -> None:
    async with SimulatedSlack(clock.now, clock=clock.monotonic, enforce_rate=True) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        for _ in range(5):
            await client.chat_postMessage(channel=SPEND_CHANNEL, text="x")
        with pytest.raises(SlackApiError) as limited:
            await client.chat_postMessage(channel="#voice-spend", text="x")
        assert limited.value.response.status_code == 429
        assert limited.value.response.headers["Retry-After"] == "1"
        assert (await client.chat_postMessage(channel="#voice-ops", text="x"))["ok"]
        clock.advance(1)
        assert (await client.chat_postMessage(channel=SPEND_CHANNEL, text="x"))["ok"]


# Changing and deleting


async def test_an_update_replaces_and_keeps_what_was_said(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SPEND_CHANNEL, text="a", blocks=[section()], metadata=METADATA)
    await client.chat_update(channel=SPEND_CHANNEL, ts=posted["ts"], text="b")
    message = slack.messages(SPEND_CHANNEL)[0]
    assert (message.text, message.blocks, message.metadata) == ("b", [], METADATA)
    assert [each.text for each in message.edits] == ["a"]


async def test_empty_metadata_removes_it(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SPEND_CHANNEL, text="a", metadata=METADATA)
    await client.chat_update(channel=SPEND_CHANNEL, ts=posted["ts"], text="b", metadata={})
    assert slack.messages(SPEND_CHANNEL)[0].metadata is None


async def test_an_update_refuses_what_slack_refuses(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    mine = (await client.chat_postMessage(channel=SPEND_CHANNEL, text="a"))["ts"]
    theirs = slack.say(SPEND_CHANNEL, "hello", user=MEMBER).ts

    async def error(ts: str, text: str = "x", channel: str = SPEND_CHANNEL) -> str:
        args = {"channel": channel, "ts": ts, "text": text}
        return str((await refusal(client.api_call("chat.update", json=args)))["error"])

    assert await error("1500000000.000001") == "message_not_found"
    assert await error(theirs) == "cant_update_message"
    assert await error(mine, "x" * 4001) == "msg_too_long"
    assert await error(mine, "") == "no_text"
    assert await error(mine, channel="#voice-spend") == "channel_not_found"
    slack.channel(SPEND_CHANNEL).archived = True
    assert await error(mine) == "is_inactive"


async def test_a_deleted_message_is_gone(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SPEND_CHANNEL, text="a", metadata=METADATA)
    await client.chat_delete(channel=SPEND_CHANNEL, ts=posted["ts"])
    assert slack.messages(SPEND_CHANNEL) == []
    assert len(slack.posts_with_id("a1")) == 1
    assert (await refusal(client.chat_delete(channel=SPEND_CHANNEL, ts=posted["ts"])))["error"] == "message_not_found"


async def test_a_permalink_names_channel_and_stamp(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=SPEND_CHANNEL, text="a"))["ts"]
    answer = await client.chat_getPermalink(channel=SPEND_CHANNEL, message_ts=ts)
    assert answer["permalink"].endswith(f"/archives/{SPEND_CHANNEL}/p{ts.replace('.', '')}")


# Reading


async def test_history_is_newest_first_and_shows_no_replies(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=SPEND_CHANNEL, text="one")
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="reply", thread_ts=parent["ts"])
    slack.say(SPEND_CHANNEL, "two")
    messages = (await client.conversations_history(channel=SPEND_CHANNEL))["messages"]
    assert [each["text"] for each in messages] == ["two", "one"]
    assert messages[1]["reply_count"] == 1


@pytest.mark.parametrize(("whole", "expected"), [(True, METADATA), (False, {"event_type": "agent_usage_bot"})])
async def test_history_shows_whole_metadata_only_when_asked(
    client: AsyncWebClient, whole: bool, expected: Json
) -> None:
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="a", metadata=METADATA)
    answer = await client.conversations_history(channel=SPEND_CHANNEL, include_all_metadata=whole)
    assert answer["messages"][0]["metadata"] == expected


async def test_oldest_and_latest_bound_history(client: AsyncWebClient, clock: Clock) -> None:
    stamps = []
    for text in "abc":
        stamps.append((await client.chat_postMessage(channel=SPEND_CHANNEL, text=text))["ts"])
        clock.advance(10)

    async def texts(**bounds: Any) -> str:
        answer = await client.conversations_history(channel=SPEND_CHANNEL, **bounds)
        return "".join(each["text"] for each in answer["messages"])

    assert await texts(oldest=stamps[0]) == "cb"
    assert await texts(oldest=stamps[0], inclusive=True) == "cba"
    assert await texts(latest=stamps[1]) == "a"
    assert await texts(latest=stamps[1], inclusive=True, limit=1) == "b"
    assert await texts(oldest="1773144005") == "cb"


async def test_history_comes_in_pages(client: AsyncWebClient) -> None:
    for number in range(5):
        await client.chat_postMessage(channel=SPEND_CHANNEL, text=str(number))
    answer = await client.conversations_history(channel=SPEND_CHANNEL, limit=2)
    pages = [[each["text"] for each in page["messages"]] async for page in answer]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_replies_start_with_their_parent(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=SPEND_CHANNEL, text="parent"))["ts"]
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="reply", thread_ts=ts, metadata=METADATA)
    answer = await client.conversations_replies(channel=SPEND_CHANNEL, ts=ts, include_all_metadata=True)
    assert [each["text"] for each in answer["messages"]] == ["parent", "reply"]
    assert answer["messages"][1]["metadata"] == METADATA


async def test_history_needs_membership(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    hidden = slack.workspace.add_channel("hidden", private=True)
    assert (await refusal(client.conversations_history(channel=GENERAL_CHANNEL)))["error"] == "not_in_channel"
    assert (await refusal(client.conversations_history(channel=hidden.id)))["error"] == "channel_not_found"
    await client.conversations_join(channel=GENERAL_CHANNEL)
    assert (await client.conversations_history(channel=GENERAL_CHANNEL))["ok"]


# Channels and people


async def test_the_list_shows_public_channels_and_the_bots_private_ones(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    slack.workspace.add_channel("hidden", private=True)
    slack.workspace.add_channel("ours", private=True, members=(BOT_USER_ID,))
    slack.workspace.add_channel("old", archived=True)

    async def names(**args: Any) -> list[str]:
        pages = await client.conversations_list(limit=2, **args)
        return [each["name"] async for page in pages for each in page["channels"]]

    assert await names() == ["voice-spend", "voice-ops", "general", "old"]
    assert await names(types="public_channel,private_channel", exclude_archived=True) == [
        "voice-spend",
        "voice-ops",
        "general",
        "ours",
    ]


async def test_info_tells_membership(client: AsyncWebClient) -> None:
    assert (await client.conversations_info(channel=SPEND_CHANNEL))["channel"]["is_member"] is True
    assert (await client.conversations_info(channel=GENERAL_CHANNEL))["channel"]["is_member"] is False
    assert (await refusal(client.conversations_info(channel="C0NOWHERE1")))["error"] == "channel_not_found"


async def test_only_open_public_channels_can_be_joined(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    ours = slack.workspace.add_channel("ours", private=True, members=(BOT_USER_ID,))
    old = slack.workspace.add_channel("old", archived=True)
    assert (await client.conversations_join(channel=SPEND_CHANNEL))["warning"] == "already_in_channel"
    assert (await refusal(client.conversations_join(channel=old.id)))["error"] == "is_archived"
    answer = await refusal(client.conversations_join(channel=ours.id))
    assert answer["error"] == "method_not_supported_for_channel_type"


async def test_people_tell_their_rights(client: AsyncWebClient) -> None:
    rights = {}
    for user in (await client.users_list())["members"]:
        shown = (await client.users_info(user=user["id"]))["user"]
        rights[shown["name"]] = (shown["is_admin"], shown["is_restricted"], shown["is_bot"])
    assert rights == {
        "ada": (True, False, False),
        "mo": (False, False, False),
        "gil": (False, True, False),
        "agent-usage": (False, False, True),
    }
    assert (await refusal(client.users_info(user="U0NOBODY1")))["error"] == "user_not_found"


async def test_people_of_another_organisation_tell_where_they_belong(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    for user in (
        User("U0EXT0001", "eve", team_id="T0OTHER", is_admin=True),
        User("U0FAR0001", "fay", team_id="T0OTHER", is_stranger=True),
        User("U0HIDDEN1", "hal", team_id="T0OTHER", visible=False),
    ):
        slack.workspace.add_user(user)
    shared = (await client.users_info(user="U0EXT0001"))["user"]
    assert (shared["team_id"], shared["is_stranger"], shared["is_admin"]) == ("T0OTHER", False, True)
    assert (await client.users_info(user="U0FAR0001"))["user"]["is_stranger"] is True
    assert (await refusal(client.users_info(user="U0HIDDEN1")))["error"] == "user_not_visible"
    assert "is_stranger" not in (await client.users_info(user=ADMIN))["user"]


async def test_on_enterprise_grid_the_bot_and_people_tell_their_organisation(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    assert "enterprise_id" not in (await client.auth_test()).data
    slack.workspace.enterprise_id = "E0OURS"
    slack.workspace.add_user(User("W0SISTER1", "sue", team_id="T0SISTER", enterprise_id="E0OURS"))
    assert (await client.auth_test())["enterprise_id"] == "E0OURS"
    shown = (await client.users_info(user="W0SISTER1"))["user"]["enterprise_user"]
    assert (shown["enterprise_id"], shown["teams"]) == ("E0OURS", ["T0SISTER"])


async def test_user_groups_list_their_people(client: AsyncWebClient) -> None:
    group = (await client.usergroups_list())["usergroups"][0]
    assert group["handle"] == "finance"
    assert (await client.usergroups_users_list(usergroup=group["id"]))["users"] == [ADMIN]
    assert (await refusal(client.usergroups_users_list(usergroup="S0")))["error"] == "no_such_subteam"


async def test_members_and_direct_messages(client: AsyncWebClient) -> None:
    assert BOT_USER_ID in (await client.conversations_members(channel=SPEND_CHANNEL))["members"]
    opened = (await client.conversations_open(users=MEMBER))["channel"]["id"]
    assert (await client.conversations_open(users=MEMBER))["channel"]["id"] == opened


async def test_a_file_is_uploaded_and_shared(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    await client.files_upload_v2(
        channel=SPEND_CHANNEL, filename="usage.csv", content="day,cents\n", initial_comment="CSV"
    )
    message = slack.messages(SPEND_CHANNEL)[0]
    assert (message.text, message.files[0]["name"]) == ("CSV", "usage.csv")
    assert slack.platform.files.by_id[message.files[0]["id"]].content == b"day,cents\n"


# Views without a person (the rest is in test_people.py)


async def test_blocks_are_validated_without_a_token(slack: SimulatedSlack) -> None:
    async with httpx.AsyncClient() as http:
        good = await http.post(f"{slack.api_url}blocks.validate", data={"blocks": '[{"type":"divider"}]'})
        bad = await http.post(
            f"{slack.api_url}blocks.validate", json={"view": {"type": "home", "blocks": [{"type": "x"}]}}
        )
    assert good.json() == {"ok": True}
    assert bad.json()["error"] == "invalid_view"
    assert bad.json()["errors"][0]["pointer"] == "/blocks/0/type"


async def test_a_home_tab_is_published_per_user(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    first = await client.views_publish(user_id=ADMIN, view={"type": "home", "blocks": [section("a")]})
    await client.views_publish(
        user_id=ADMIN, view={"type": "home", "blocks": [section("b")]}, hash=first["view"]["hash"]
    )
    home = slack.workspace.home(ADMIN)
    assert home is not None
    assert home.blocks[0]["text"]["text"] == "b"
    assert slack.workspace.home(MEMBER) is None
    stale = client.views_publish(user_id=ADMIN, view={"type": "home", "blocks": []}, hash=first["view"]["hash"])
    assert (await refusal(stale))["error"] == "hash_conflict"


async def test_a_bad_view_is_refused_with_pointers(client: AsyncWebClient) -> None:
    answer = await refusal(client.views_publish(user_id=ADMIN, view={"type": "home", "blocks": [section("")]}))
    assert answer["error"] == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0/text/text]" in answer["response_metadata"]["messages"][0]


# Faults and the record of calls

POST: Json = {"channel": SPEND_CHANNEL, "text": "x", "metadata": METADATA}


@pytest.mark.parametrize(
    ("fault", "posted"),
    [
        (Fault("drop"), 0),
        (Fault("accept_then_drop"), 1),
        (Fault("status", status=503), 0),
        (Fault("status", status=429, retry_after=3), 0),
        (Fault("accept_then_status", status=500), 1),
        (Fault("refuse", error="is_archived"), 0),
        (Fault("accept_then_refuse", error="internal_error"), 1),
        (Fault("garbage", body="<html>"), 0),
        (Fault("hang"), 0),
        (Fault("accept_then_hang"), 1),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else "",
)
async def test_a_fault_hides_whether_the_post_was_made(slack: SimulatedSlack, fault: Fault, posted: int) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    client.timeout = 0.5  # type: ignore[assignment]
    slack.faults.add("chat.postMessage", fault)
    with pytest.raises((SlackApiError, aiohttp.ClientError, TimeoutError)):
        await client.chat_postMessage(**POST)
    assert len(slack.posts_with_id("a1")) == posted
    assert (await client.chat_postMessage(**POST))["ok"]


async def test_a_throttled_call_says_for_how_long(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault("status", status=429, retry_after=3))
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(**POST)
    assert limited.value.response.headers["Retry-After"] == "3"
    assert limited.value.response["error"] == "ratelimited"


async def test_a_slow_call_is_performed_even_when_the_caller_gave_up(slack: SimulatedSlack) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    client.timeout = 0.05  # type: ignore[assignment]
    slack.faults.add("chat.postMessage", Fault("slow", seconds=0.15))
    with pytest.raises(TimeoutError):
        await client.chat_postMessage(**POST)
    assert slack.messages(SPEND_CHANNEL) == []
    assert await slack.until(lambda: slack.posts_with_id("a1"), timeout=10)


async def test_a_fault_can_be_for_one_channel_only(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    fault = Fault("refuse", error="restricted_action")
    slack.faults.add("chat.postMessage", fault, times=None, where=lambda args: args["channel"] == SPEND_CHANNEL)
    assert (await refusal(client.chat_postMessage(channel=SPEND_CHANNEL, text="x")))["error"] == "restricted_action"
    assert (await client.chat_postMessage(channel="#voice-ops", text="x"))["ok"]


async def test_calls_are_recorded_without_tokens(slack: SimulatedSlack, client: AsyncWebClient, clock: Clock) -> None:
    await client.chat_postMessage(channel=SPEND_CHANNEL, text="x")
    await refusal(client.chat_postMessage(channel="#nowhere", text="x"))
    slack.faults.add("auth.test", Fault("drop"))
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    assert [(each.method, each.outcome, each.fault) for each in slack.calls] == [
        ("chat.postMessage", "ok", None),
        ("chat.postMessage", "channel_not_found", None),
        ("auth.test", None, "drop"),
    ]
    assert slack.calls[0].at == clock.moment
    assert slack.bot_token not in repr(slack.calls)


async def test_stopping_does_not_wait_for_hanging_calls(clock: Clock) -> None:
    async with SimulatedSlack(clock.now) as slack:
        slack.faults.add("chat.postMessage", Fault("hang"), times=None)
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        hanging = asyncio.create_task(client.chat_postMessage(**POST))
        await slack.until(lambda: slack.calls, timeout=10)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    with pytest.raises(aiohttp.ClientError):
        await hanging
