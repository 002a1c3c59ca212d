"""A signed request that comes again changes nothing: one bot in HTTP mode is sent everything twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from bot.sandbox.slack.interactions import Interaction
from bot.sandbox.slack.workspace import ADMIN, MEMBER, TEAM_ID
from bot.sandbox.world import World
from tests.end_to_end.test_buttons import CHANNEL, RULES, alert, spend
from tests.forks import ForkServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("replays")]

DONE = "This was done already, and is not done twice. If you want it again, ask for it anew."
SETTLED = 0.4  # seconds in which a request that was taken for new would have done something


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[World]:
    """A bot that has warned of $42.00."""
    async with World(tmp_path_factory.mktemp("replays"), rules=RULES, spawn=forks.spawn) as world:
        spend(world, 4200)
        await world.run_http()
        await alert(world)
        yield world


def kept(world: World) -> tuple[set[str], int]:
    """What people did about the alert, as it is kept, and how many messages the outbox ever had."""
    with contextlib.closing(sqlite3.connect(world.folder / "agent-usage.db")) as connection:
        state = json.loads(connection.execute("SELECT state FROM incidents").fetchone()[0])
        seq = connection.execute("SELECT max(seq) FROM outbox").fetchone()[0]
    return {what for what in ("acknowledged", "snooze") if state[what]}, seq


async def becomes(world: World, *done: str) -> int:
    """Wait until just this is done about the alert; the number of the outbox's last message."""
    async with asyncio.timeout(5):
        while kept(world)[0] != set(done):
            await asyncio.sleep(0.02)
    return kept(world)[1]


async def sent(world: World, act: Interaction, **other: object) -> None:
    """A click like this one, a moment later: `other` is what its action has instead."""
    assert act.sent is not None
    payload = act.sent[1] | {"trigger_id": f"1.2.{uuid4().hex}"}
    payload["actions"] = [payload["actions"][0] | {"action_ts": world.slack.workspace.next_ts()} | other]
    assert (await world.slack.http.post(urlencode({"payload": json.dumps(payload)}))).status == 200


async def test_what_was_undone_is_not_done_by_requests_that_come_again(world: World) -> None:
    slack, message = world.slack, await alert(world)
    acknowledged = await slack.click(message, "acknowledge")
    chosen = await slack.click(message, "snooze", value="hour:1")
    view = await (await slack.click(message, "snooze", value="amount:1")).view()
    submitted = await slack.submit_view(view, {"snooze_amount": "75"})
    typed = await slack.command("/agent-usage", "snooze daily spend 1 hour")
    await typed.answer()
    await becomes(world, "acknowledged", "snooze")
    await sent(world, acknowledged, action_id="undo")
    before = await becomes(world)
    for act in (acknowledged, chosen, submitted, typed):
        again = await slack.replay(act)
        assert (again.error, again.errors, again.http_status) == (None, {}, 200)
    await asyncio.sleep(SETTLED)
    assert kept(world) == (set(), before)
    assert typed.answers[-1].text == DONE
    await sent(world, acknowledged)
    await becomes(world, "acknowledged")
    await sent(world, acknowledged, action_id="undo")
    await becomes(world)


async def test_an_answer_is_shared_once_for_each_time_somebody_wants_it(world: World) -> None:
    answer = await (await world.slack.command("/agent-usage", "week", user=MEMBER)).answer()
    before = len(world.slack.messages(CHANNEL))
    shared = await world.slack.click(answer, "share_answer", user=MEMBER)
    await world.slack.until(lambda: len(world.slack.messages(CHANNEL)) == before + 1 or None)
    await world.slack.replay(shared)
    await world.slack.click(answer, "share_answer", user=MEMBER)  # a double click
    await asyncio.sleep(SETTLED)
    assert len(world.slack.messages(CHANNEL)) == before + 1


async def test_a_check_is_begun_once(world: World) -> None:
    asked = await world.slack.command("/agent-usage", "check")
    await asked.answers_so_far(1)
    again = await world.slack.replay(asked)
    assert again.error is None
    told = await world.slack.until(lambda: [each.text for each in asked.answers[1:]], 5, "an answer to the asker")
    assert told == [DONE]


async def test_who_is_no_id_is_nobody(world: World) -> None:
    acknowledged = await world.slack.click(await alert(world), "show_usage")
    assert acknowledged.sent is not None
    before = kept(world)
    for name in ("<!channel>", "<@U1>", {"id": "U1"}, None):
        acknowledged.sent[1]["user"] = {"id": name, "team_id": TEAM_ID}
        await sent(world, acknowledged, action_id="acknowledge")
    await asyncio.sleep(SETTLED)
    assert kept(world) == before
    await world.processes[0].said("can't be read (click, user.id: ")
    assert not any("Traceback" in line for line in world.processes[0].lines)


async def test_an_answer_goes_to_slack_alone(world: World) -> None:
    heard: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readline()).decode())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    own = httpx.URL(world.slack.url)
    typed = {"command": "/agent-usage", "text": "status", "user_id": ADMIN, "team_id": TEAM_ID}
    for number, url in enumerate((f"http://127.0.0.1:{port}/x", f"http://{own.host}:{own.port}@127.0.0.1:{port}/x")):
        body = urlencode(typed | {"response_url": url, "trigger_id": f"1.2.{number}"})
        assert (await world.slack.http.post(body)).status == 200
    await world.processes[0].said("its response_url does not lead to Slack")
    await asyncio.sleep(SETTLED)
    server.close()
    assert heard == []
    assert not any(f":{port}" in line for line in world.processes[0].lines)
