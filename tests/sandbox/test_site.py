"""The page's server with the real bot behind it: what a person can do, and that fast time decides as real time does."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from bot.budget.backtest import backtest
from bot.rules.parse import parse
from bot.sandbox.consistency import Consistency
from bot.sandbox.show import FAULTS, RULES, Show
from bot.sandbox.site import LONGEST_STEP, Site
from bot.sandbox.slack.workspace import ADMIN, SPEND_CHANNEL
from bot.sandbox.world import real_now
from bot.store.database import open_database
from bot.store.ledger import Ledger
from bot.windows import utc_day
from tests.forks import ForkServer
from tests.samples.figures import tuesday_after

pytestmark = pytest.mark.timeout(240)


@dataclass
class Visitor:
    """Somebody at the page, without a browser."""

    show: Show
    site: Site
    session: aiohttp.ClientSession

    async def state(self) -> Any:
        async with self.session.get(f"{self.site.url}/api/state") as answer:
            return await answer.json()

    async def does(self, act: str, status: int = 200, /, **body: Any) -> Any:
        async with self.session.post(f"{self.site.url}/api/{act}", json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def sees(self, words: str, seconds: float = 15.0) -> Any:
        """The first message with these words; waits for it. AssertionError with what there is instead."""
        ends = asyncio.get_running_loop().time() + seconds
        while True:
            state = await self.state()
            if found := next((each for each in state["messages"] if words in each["text"]), None):
                return found
            if asyncio.get_running_loop().time() > ends:
                break
            await asyncio.sleep(0.1)
        said = [each["text"].partition("\n")[0] for each in state["messages"]]
        logged = self.show.bot.lines[-20:] if self.show.bot else []
        raise AssertionError("\n".join([f"{words!r} was not said; at {state['now']} there is:", *said, *logged]))

    async def until(self, day: datetime, seconds: float = 150.0) -> None:
        """Wait until the simulated clock is there."""
        async with asyncio.timeout(seconds):
            while self.show.clock.now() < day:
                await asyncio.sleep(0.05)

    async def all_delivered(self, seconds: float = 20.0) -> Consistency:
        async with asyncio.timeout(seconds):
            while True:
                consistency = self.show.consistency()
                if consistency and consistency.messages and not consistency.waiting:
                    return consistency
                await asyncio.sleep(0.1)

    async def at_rest(self) -> Consistency:
        """Once the clock stands: when the last check has recorded what it found, and Slack has it all."""
        while True:
            consistency = await self.all_delivered()
            await asyncio.sleep(3)
            if self.show.consistency() == consistency:
                return consistency


@asynccontextmanager
async def visiting(folder: Path, begins: datetime, forks: ForkServer) -> AsyncIterator[Visitor]:
    show = Show(folder, begins=begins)
    show.world.spawn = forks.spawn
    async with show.world, Site(show) as site, aiohttp.ClientSession() as session:
        await show.start()
        try:
            await show.world.slack.socket.wait_connected(timeout=30)
            yield Visitor(show, site, session)
        finally:
            await show.stop()


@pytest.fixture
async def visitor(tmp_path: Path, forks: ForkServer) -> AsyncIterator[Visitor]:
    async with visiting(tmp_path, tuesday_after(real_now()), forks) as visitor:
        yield visitor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def onlooker(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[Visitor]:
    """A visitor for those who change nothing."""
    async with visiting(tmp_path_factory.mktemp("onlooker"), tuesday_after(real_now()), forks) as visitor:
        yield visitor


async def test_what_is_typed_is_answered_to_the_asker_alone(visitor: Visitor) -> None:
    await visitor.does("command", user=ADMIN, channel=SPEND_CHANNEL, text="budgets")
    assert (await visitor.sees("Budgets"))["visible_to"] == ADMIN


async def test_money_that_is_spent_is_alerted_and_can_be_acknowledged(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    message = await visitor.sees("🔴 Daily spend")
    await visitor.does("click", user=ADMIN, channel=message["channel"], ts=message["ts"], action_id="acknowledge")
    assert (await visitor.sees("Acknowledged by"))["thread_ts"] == message["ts"]


def decided(folder: Path) -> list[tuple[str, str, str]]:
    """Rule, window and reason of every decision that spoke, in order."""
    query = "SELECT i.rule, i.window_start, d.reason FROM decisions d JOIN incidents i ON i.id = d.incident_id"
    with sqlite3.connect(folder / "agent-usage.db") as connection:
        return connection.execute(f"{query} ORDER BY d.id").fetchall()


def delivered(visitor: Visitor) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Each channel's new messages as they were decided, and as the simulated Slack has them."""
    decided_first, there = defaultdict(list), defaultdict(list)
    with closing(sqlite3.connect(visitor.show.folder / "agent-usage.db")) as connection:
        query = "SELECT posted_channel, id FROM outbox WHERE action <> 'edit' ORDER BY seq"
        for channel, row_id in connection.execute(query):
            decided_first[channel].append(row_id)
    for message in visitor.show.world.slack.workspace.posted:
        if message.metadata:
            there[message.channel].append(message.metadata["event_payload"]["id"])
    return decided_first, there


@pytest.mark.xdist_group("busy")  # one at a time: each keeps a core busy
@pytest.mark.parametrize(
    ("profile", "days", "acts", "fewest"),
    [
        pytest.param("office hours", 15, (), 5, id="half a month of office hours"),
        pytest.param("phone line dead", 6, (), 8, id="a dead line, where no figure changes"),
        pytest.param("runaway agent looping", 4, ("restate",), 30, id="a runaway agent, and yesterday restated"),
        pytest.param("round the clock", 4, ("outage",), 4, id="round the clock until an outage"),
    ],
)
async def test_fast_time_is_decided_as_its_readings_are_decided_one_by_one(
    visitor: Visitor, profile: str, days: int, acts: tuple[str, ...], fewest: int
) -> None:
    began = visitor.show.clock.now()
    await visitor.does("profile", name=profile)
    await visitor.does("clock", speed="day")
    await visitor.until(began + timedelta(days=days / 2))
    for act in acts:
        await visitor.does("spend", what=act)
    await visitor.until(began + timedelta(days=days))
    await visitor.does("clock", speed="paused")
    consistency = await visitor.at_rest()
    database = open_database(visitor.show.world.database_url)
    rows = await Ledger(database).rows(utc_day(began - timedelta(days=80)))
    await database.close()
    first = min(at for each in rows.values() for at, _ in each)
    again = [
        (each.decision.standing.rule.name, str(each.decision.standing.window.start), each.decision.reason.value)
        for each in backtest(parse(RULES), rows, first, visitor.show.clock.now(), LONGEST_STEP)
    ]
    assert len(again) > fewest
    assert decided(visitor.show.folder) == again
    assert (consistency.lost, consistency.doubled, consistency.waiting) == (0, 0, 0)
    in_order, there = delivered(visitor)
    assert there == in_order
    assert [each.text for each in visitor.show.world.slack.messages("voice-ops")] == []  # never blind on the way


async def test_a_bot_killed_in_fast_time_loses_and_doubles_nothing(visitor: Visitor) -> None:
    began = visitor.show.clock.now()
    await visitor.does("clock", speed="day")
    for days in (2, 4, 6):
        await visitor.until(began + timedelta(days=days))
        await visitor.does("bot", what="kill")
        assert not (await visitor.state())["bot"]["running"]
        await visitor.does("bot", what="start")
        await visitor.show.world.slack.socket.wait_connected(timeout=30)
    await visitor.does("clock", speed="paused")
    consistency = await visitor.all_delivered()
    assert (consistency.lost, consistency.doubled) == (0, 0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_can_be_switched_on_and_off_and_nothing_is_lost_or_doubled(
    visitor: Visitor, fault: str
) -> None:
    await visitor.does("fault", name=fault, on=True)
    assert (await visitor.state())["faults"] == [fault]
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await asyncio.sleep(3)
    await visitor.does("fault", name=fault, on=False)
    await visitor.sees("🔴 Daily spend", 40)
    consistency = await visitor.all_delivered()
    assert (consistency.lost, consistency.doubled) == (0, 0)


async def test_nothing_is_doubled_where_slack_is_some_hours_behind(tmp_path: Path, forks: ForkServer) -> None:
    """Whether an unanswered post arrived is looked up by time: a host with a wrong zone must find it all the same."""
    async with visiting(tmp_path, real_now() - timedelta(hours=14), forks) as visitor:
        await visitor.does("fault", name="slack_answers_lost", on=True)
        for _ in range(8):
            await visitor.does("spend", what="calls")
        await visitor.sees("🔴 Daily spend")
        await asyncio.sleep(3)
        await visitor.does("fault", name="slack_answers_lost", on=False)
        consistency = await visitor.all_delivered()
        assert (consistency.lost, consistency.doubled) == (0, 0)


async def test_rules_are_saved_with_their_mistakes_told_and_tried_over_the_past(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await visitor.sees("Daily spend")  # the bot has read the past by then
    bad = await visitor.does("rules", text=RULES.replace("threshold: $40", "treshold: $40"))
    assert any("treshold" in mistake["text"] for mistake in bad["mistakes"])
    assert (await visitor.does("backtest", 400))["error"].startswith("That can't be done: ")
    assert (await visitor.does("rules", text=RULES.replace("$40", "$20")))["mistakes"] == []
    found = await visitor.does("backtest")
    assert any(each["rule"] == "Daily spend" and each["reason"] == "CROSSED" for each in found["said"])
    assert found["news"] + found["others"] == len(found["said"])


async def test_rules_that_cannot_be_written_leave_the_file_as_it_was(visitor: Visitor) -> None:
    assert (await visitor.does("rules", 400, text="\ud800"))["error"].endswith(".")
    assert visitor.show.world.rules_file.read_text(encoding="utf-8") == RULES


async def test_what_is_spent_while_the_clock_stands_is_seen_by_the_bot(visitor: Visitor) -> None:
    await visitor.does("clock", speed="paused")
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await visitor.sees("🔴 Daily spend")


async def test_what_a_person_types_calls_nobody_and_stays_as_it_was_typed(visitor: Visitor) -> None:
    await visitor.does("say", user=ADMIN, channel=SPEND_CHANNEL, text="<!channel> a < b & c")
    assert (await visitor.sees("a &lt; b"))["text"] == "&lt;!channel&gt; a &lt; b &amp; c"


async def test_two_starts_at_once_start_one_bot(visitor: Visitor) -> None:
    await visitor.does("bot", what="kill")
    await asyncio.gather(*(visitor.does("bot", what="start") for _ in range(3)))
    running = [each for each in visitor.show.world.processes if each.process and each.process.returncode is None]
    assert len(running) == 1


async def test_a_bot_that_ends_by_itself_is_shown_with_its_last_words(visitor: Visitor) -> None:
    visitor.show.world.slack.revoke(visitor.show.world.slack.bot_token)
    await visitor.does("bot", what="kill")
    assert (await visitor.state())["bot"]["ended"] == ""
    await visitor.does("bot", what="start")
    async with asyncio.timeout(30):
        while not (ended := (await visitor.state())["bot"]["ended"]):
            await asyncio.sleep(0.1)
    assert "SLACK_BOT_TOKEN" in ended


async def test_a_modal_that_nobody_answers_says_so(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    message = await visitor.sees("🔴 Daily spend")
    place = {"user": ADMIN, "channel": message["channel"], "ts": message["ts"]}
    [value] = re.findall(r'"(amount:\d+)"', json.dumps(message["blocks"]))
    await visitor.does("click", **place, action_id="snooze", value=value)
    async with asyncio.timeout(10):
        while not (views := (await visitor.state())["views"]):
            await asyncio.sleep(0.1)
    await visitor.does("bot", what="kill")
    block = next(each for each in views[0]["content"]["blocks"] if each["type"] == "input")
    values = {block["block_id"]: {block["element"]["action_id"]: "$500"}}
    done = await visitor.does("submit", user=ADMIN, view_id=views[0]["id"], values=values)
    assert done["error"].startswith("The bot did not answer")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.xdist_group("onlooker")
@pytest.mark.parametrize(
    ("what", "body"),
    [
        pytest.param("spend", {"what": "gold"}, id="an unknown way to spend"),
        pytest.param("clock", {"speed": "backwards"}, id="an unknown speed"),
        pytest.param("fault", {"name": "fire", "on": True}, id="an unknown fault"),
        pytest.param("profile", {"name": "nobody"}, id="an unknown profile"),
        pytest.param("click", {"user": ADMIN, "channel": "C0", "ts": "1", "action_id": "x"}, id="no such message"),
        pytest.param("submit", {"user": ADMIN, "view_id": "V0", "values": {}}, id="no such modal"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(onlooker: Visitor, what: str, body: dict[str, Any]) -> None:
    assert (await onlooker.does(what, 400, **body))["error"].endswith(".")


async def test_the_clock_jumps_to_midnight_and_the_day_is_closed(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await visitor.sees("🔴 Daily spend")
    today = utc_day(visitor.show.clock.now())
    await visitor.does("clock", jump="midnight")
    assert utc_day(visitor.show.clock.now()) == today + timedelta(days=1)
    await visitor.sees("✅ Daily spend")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.xdist_group("onlooker")
async def test_only_this_machine_is_served_and_no_other_site_can_send(onlooker: Visitor) -> None:
    assert onlooker.site.host == "127.0.0.1"
    async with onlooker.session.post(f"{onlooker.site.url}/api/bot", data={"what": "kill"}) as answer:
        assert answer.status == 415
    outside = URL(f"{onlooker.site.url}/%2e%2e%2fshow.py", encoded=True)
    async with onlooker.session.get(outside) as answer:
        assert answer.status == 404
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", onlooker.site.port))  # this machine too, by another address


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.xdist_group("onlooker")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "localhost:8765"}, 200, id="this machine by its name"),
        pytest.param({"Host": "evil.example:8765"}, 403, id="a name of somebody's that leads here"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another site's page"),
        pytest.param({"Origin": "null"}, 403, id="a page without an origin"),
    ],
)
async def test_only_the_page_itself_may_ask(onlooker: Visitor, headers: dict[str, str], status: int) -> None:
    async with onlooker.session.get(f"{onlooker.site.url}/api/state", headers=headers) as answer:
        assert answer.status == status
