"""Socket Mode as the protocol page says, spoken with Slack's own client and with a bare WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.faults import Fault
from bot.sandbox.slack import SimulatedSlack
from bot.sandbox.slack.workspace import ADMIN, SPEND_CHANNEL

Json = dict[str, Any]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def connect(slack: SimulatedSlack, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A bare connection that has been greeted."""
    socket = await http.ws_connect(slack.socket.open_url())
    assert (await socket.receive_json(timeout=10))["type"] == "hello"
    return socket


async def acknowledge(socket: aiohttp.ClientWebSocketResponse, payload: Json | None = None) -> Json:
    """Take the next envelope and acknowledge it."""
    envelope: Json = await socket.receive_json(timeout=10)
    await socket.send_json({"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})})
    return envelope


async def test_slacks_own_client_takes_a_command_and_answers_in_the_acknowledgement(slack: SimulatedSlack) -> None:
    web = AsyncWebClient(base_url=slack.api_url)
    client = SocketModeClient(app_token=slack.app_token, web_client=web)
    seen: list[SocketModeRequest] = []

    async def listen(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        seen.append(request)
        answer = {"response_type": "ephemeral", "text": "You spent $1.00"}
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

    client.socket_mode_request_listeners.append(listen)
    await client.connect()  # type: ignore[no-untyped-call]
    await slack.socket.wait_connected()
    result = await slack.command("/agent-usage", "today")
    await client.close()  # type: ignore[no-untyped-call]
    assert result.acknowledged
    assert result.ack_seconds is not None
    assert (seen[0].type, seen[0].payload["text"]) == ("slash_commands", "today")
    assert (await result.answer()).text == "You spent $1.00"


async def test_hello_counts_the_connections(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    first = await connect(slack, http)
    second = await http.ws_connect(slack.socket.open_url())
    hello = await second.receive_json(timeout=10)
    assert hello["num_connections"] == 2
    assert hello["connection_info"] == {"app_id": "A0AGENTUSE"}
    assert hello["debug_info"]["approximate_connection_time"] == 3600
    assert not first.closed


async def test_an_envelope_goes_to_one_connection(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    sockets = [await connect(slack, http) for _ in range(2)]
    acknowledging = [asyncio.create_task(acknowledge(socket)) for socket in sockets]
    first, second = await slack.command("/agent-usage"), await slack.command("/agent-usage")
    envelopes = await asyncio.gather(*acknowledging)
    assert first.acknowledged
    assert second.acknowledged
    assert len({each["envelope_id"] for each in envelopes}) == 2


async def test_an_eleventh_connection_is_turned_away(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    kept = [await connect(slack, http) for _ in range(10)]
    eleventh = await http.ws_connect(slack.socket.open_url())
    assert (await eleventh.receive_json(timeout=10))["reason"] == "too_many_websockets"
    assert not any(each.closed for each in kept)


async def test_an_address_is_good_for_one_connection(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    url = slack.socket.open_url()
    first = await http.ws_connect(url)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(url)
    assert not first.closed


async def test_without_an_acknowledgement_the_person_sees_a_timeout(
    slack: SimulatedSlack, http: aiohttp.ClientSession
) -> None:
    silent = await connect(slack, http)
    result = await slack.command("/agent-usage")
    assert (result.acknowledged, result.error) == (False, "operation_timeout")
    assert not silent.closed


async def test_an_acknowledgement_that_comes_too_late_changes_nothing(
    slack: SimulatedSlack, http: aiohttp.ClientSession
) -> None:
    socket = await connect(slack, http)
    result = await slack.command("/agent-usage")
    await acknowledge(socket, {"text": "sorry, late"})
    await slack.until(lambda: slack.deliveries[0].acked_at, timeout=10)
    assert (result.acknowledged, result.answers) == (False, [])


async def test_with_nobody_connected_a_command_fails_at_once(slack: SimulatedSlack) -> None:
    result = await slack.command("/agent-usage")
    assert (result.acknowledged, result.error) == (False, "dispatch_failed")


async def test_a_refresh_asks_the_client_to_leave_and_sends_it_nothing_more(
    slack: SimulatedSlack, http: aiohttp.ClientSession
) -> None:
    old = await connect(slack, http)
    await slack.socket.disconnect("refresh_requested")
    asked = await old.receive_json(timeout=10)
    assert (asked["type"], asked["reason"]) == ("disconnect", "refresh_requested")
    new = await connect(slack, http)
    taking = asyncio.create_task(acknowledge(new))
    assert (await slack.command("/agent-usage")).acknowledged
    await taking


async def test_slacks_own_client_comes_back_after_a_refresh_and_a_broken_connection(slack: SimulatedSlack) -> None:
    web = AsyncWebClient(base_url=slack.api_url)
    client = SocketModeClient(app_token=slack.app_token, web_client=web, ping_interval=0.1)
    await client.connect()  # type: ignore[no-untyped-call]
    await slack.socket.wait_connected()
    await slack.socket.disconnect("refresh_requested")
    await slack.until(lambda: slack.socket.opened == 2)
    await slack.socket.wait_connected()
    slack.socket.drop_all()
    await slack.until(lambda: slack.socket.opened == 3)
    await slack.socket.wait_connected()
    await client.close()  # type: ignore[no-untyped-call]


async def test_events_carry_their_retry_and_take_no_answer(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    socket = await connect(slack, http)
    taking = asyncio.create_task(acknowledge(socket))
    await slack.event({"type": "tokens_revoked"}, event_id="Ev1", retry=1)
    envelope = await taking
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("events_api", False)
    assert (envelope["retry_attempt"], envelope["payload"]["event_id"]) == (1, "Ev1")


@pytest.mark.parametrize("status", [500, 503])
async def test_a_refused_handshake_leaves_the_address_usable(
    slack: SimulatedSlack, http: aiohttp.ClientSession, status: int
) -> None:
    url = slack.socket.open_url()
    slack.faults.add("socket", Fault("status", status=status))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(url)
    assert refused.value.status == status
    await http.ws_connect(url)


async def test_a_connection_can_break_after_hello(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    slack.faults.add("socket", Fault("accept_then_drop"))
    socket = await http.ws_connect(slack.socket.open_url())
    kinds = [(await socket.receive(timeout=10)).type for _ in range(2)]
    assert kinds[-1] in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_a_connection_can_be_deaf(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    slack.faults.add("socket", Fault("accept_then_hang"))
    deaf = await connect(slack, http)
    assert (await slack.command("/agent-usage")).error == "operation_timeout"
    assert not deaf.closed


async def test_a_link_can_be_disabled(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    slack.faults.add("socket", Fault("refuse"))
    socket = await http.ws_connect(slack.socket.open_url())
    assert (await socket.receive_json(timeout=10))["reason"] == "link_disabled"


async def test_revoking_the_app_token_breaks_its_connections(
    slack: SimulatedSlack, http: aiohttp.ClientSession
) -> None:
    socket = await connect(slack, http)
    slack.revoke(slack.app_token)
    assert (await socket.receive(timeout=10)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    await slack.until(lambda: not slack.socket.connections, timeout=10)


async def test_the_command_carries_the_documented_fields(slack: SimulatedSlack, http: aiohttp.ClientSession) -> None:
    socket = await connect(slack, http)
    taking = asyncio.create_task(acknowledge(socket))
    await slack.command("/agent-usage", "last week", user=ADMIN, channel="#voice-spend")
    payload = (await taking)["payload"]
    assert payload.keys() == {
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    }
    assert (payload["channel_id"], payload["channel_name"]) == (SPEND_CHANNEL, "voice-spend")
    assert (payload["user_id"], payload["is_enterprise_install"]) == (ADMIN, "false")
