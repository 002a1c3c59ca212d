"""The page's server with the real bot behind it: what a person can do, and that fast time decides as real time does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.budget.backtest import backtest
from bot.rules.parse import parse
from bot.sandbox.show import FAULTS, RULES, Show
from bot.sandbox.site import Site
from bot.sandbox.slack.workspace import ADMIN, SPEND_CHANNEL
from bot.store.database import open_database
from bot.store.ledger import Ledger
from bot.windows import utc_day

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
        """The first message with these words; waits for it."""
        async with asyncio.timeout(seconds):
            while True:
                for message in (await self.state())["messages"]:
                    if words in message["text"]:
                        return message
                await asyncio.sleep(0.1)

    async def until(self, day: datetime, seconds: float = 150.0) -> None:
        """Wait until the simulated clock is there."""
        async with asyncio.timeout(seconds):
            while self.show.clock.now() < day:
                await asyncio.sleep(0.05)

    async def all_delivered(self, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while self.show.proof().waiting or not self.show.proof().messages:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def visiting(folder: Path) -> AsyncIterator[Visitor]:
    show = Show(folder)
    async with show.world, Site(show) as site, aiohttp.ClientSession() as session:
        await show.start()
        try:
            await show.world.slack.socket.wait_connected(timeout=30)
            yield Visitor(show, site, session)
        finally:
            await show.stop()


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(tmp_path) as visitor:
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


@pytest.mark.xdist_group("month")  # one at a time: each keeps a core busy
async def test_a_month_in_fast_time_is_decided_as_its_readings_are_decided_one_by_one(visitor: Visitor) -> None:
    began = visitor.show.clock.now()
    await visitor.does("clock", speed="day")
    await visitor.until(began + timedelta(days=30))
    await visitor.does("clock", speed="paused")
    await visitor.all_delivered()
    database = open_database(visitor.show.world.database_url)
    rows = await Ledger(database).rows(utc_day(began - timedelta(days=80)))
    await database.close()
    first = min(at for each in rows.values() for at, _ in each)
    again = [
        (each.decision.standing.rule.name, str(each.decision.standing.window.start), each.decision.reason.value)
        for each in backtest(parse(RULES), rows, first, visitor.show.clock.now())
    ]
    assert len(again) > 40
    for _ in range(300):  # the last check may be recording still
        if decided(visitor.show.folder) == again:
            break
        await asyncio.sleep(0.1)
    assert decided(visitor.show.folder) == again
    proof = visitor.show.proof()
    assert (proof.lost, proof.doubled, proof.waiting) == (0, 0, 0)


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
    await visitor.all_delivered()
    proof = visitor.show.proof()
    assert (proof.lost, proof.doubled) == (0, 0)


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
    await visitor.all_delivered()
    proof = visitor.show.proof()
    assert (proof.lost, proof.doubled) == (0, 0)


async def test_rules_are_saved_with_their_mistakes_told_and_tried_over_the_past(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await visitor.sees("Daily spend")  # the bot has read the past by then
    bad = await visitor.does("rules", text=RULES.replace("threshold: $35", "treshold: $35"))
    assert any("treshold" in mistake["text"] for mistake in bad["mistakes"])
    assert (await visitor.does("backtest", 400, days=30))["error"].startswith("That can't be done: ")
    assert (await visitor.does("rules", text=RULES.replace("$35", "$20")))["mistakes"] == []
    found = (await visitor.does("backtest", days=30))["incidents"]
    assert any(each["rule"] == "Daily spend" and each["reason"] == "CROSSED" for each in found)


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
async def test_what_cannot_be_done_is_refused_in_a_sentence(visitor: Visitor, what: str, body: dict[str, Any]) -> None:
    assert (await visitor.does(what, 400, **body))["error"].endswith(".")


async def test_the_clock_jumps_to_midnight_and_the_day_is_closed(visitor: Visitor) -> None:
    for _ in range(8):
        await visitor.does("spend", what="calls")
    await visitor.sees("🔴 Daily spend")
    today = utc_day(visitor.show.clock.now())
    await visitor.does("clock", jump="midnight")
    assert utc_day(visitor.show.clock.now()) == today + timedelta(days=1)
    await visitor.sees("✅ Daily spend")


async def test_only_this_machine_is_served_and_no_other_site_can_send(visitor: Visitor) -> None:
    assert visitor.site.host == "127.0.0.1"
    async with visitor.session.post(f"{visitor.site.url}/api/bot", data={"what": "kill"}) as answer:
        assert answer.status == 415
    async with visitor.session.get(f"{visitor.site.url}/../show.py") as answer:
        assert answer.status == 404
