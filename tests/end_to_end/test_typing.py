"""What phones, clipboards and Slack make of what people type, asked of one running bot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.sandbox.slack.workspace import Message
from bot.sandbox.world import World
from bot.windows import midnight, utc_day
from tests.end_to_end.test_buttons import CHANNEL, asked, shows, spend
from tests.forks import ForkServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("typing")]

RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"
rules:
  - {name: R&D spend, threshold: $40}
  - {name: Täglich, threshold: $41}
  - {name: R-D, threshold: $1}
  - {name: R–D, threshold: $2}
  - {name: Daily minutes, metric: minutes, threshold: 500}
  - {name: Launch, threshold: $1000}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def typed_at(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[World]:
    """A bot that has told of every rule but one."""
    async with World(tmp_path_factory.mktemp("typed"), rules=RULES, spawn=forks.spawn) as world:
        spend(world, 4200)
        await world.run()
        await world.slack.until(lambda: len(world.slack.messages(CHANNEL)) == 5 or None, 10, "5 alerts")
        yield world


def alert(world: World, name: str) -> Message:
    return next(each for each in world.slack.messages(CHANNEL) if f"{name}:" in each.text.replace("&amp;", "&"))


@pytest.mark.parametrize(
    "typed",
    ["R&D spend", "r&d SPEND", "“R&D spend”", "*R&D spend*", "R&\u200bD\u00a0spend", "R&D spend?"],
)
async def test_why_finds_a_name_however_it_was_typed(typed_at: World, typed: str) -> None:
    answer = await asked(typed_at, f"why {typed}")
    assert re.match(r"Alert \d: R&amp;D spend, ", answer)


async def test_why_tells_names_apart_that_differ_only_by_a_dash(typed_at: World) -> None:
    assert re.match(r"Alert \d: R-D, ", await asked(typed_at, "why R-D"))
    assert re.match(r"Alert \d: R–D, ", await asked(typed_at, "why R–D"))
    which = await asked(typed_at, "why r—d")
    assert re.fullmatch(r"Which one: “R-D” \(alert \d\) or “R–D” \(alert \d\)\? Write the number of its alert\.", which)


async def test_what_has_no_alert_is_told_from_what_does_not_exist(typed_at: World) -> None:
    for command in ("why “launch”", "snooze Launch 2 hours"):
        assert (await asked(typed_at, command)) == "“Launch” has no alert yet; `budgets` shows where it stands."
    nobody = await asked(typed_at, "why Taglich <b> & co")
    assert nobody.startswith("There is no alert “Taglich &lt;b&gt; &amp; co”: ")
    assert (await asked(typed_at, "why Taglich")).endswith("Did you mean “Täglich”?")


async def test_a_day_is_found_however_it_was_typed(typed_at: World) -> None:
    today = str(utc_day(typed_at.now()))
    plain = (await asked(typed_at, today)).partition("\n")[0]
    for typed in (today.replace("-", "–"), f"{today}…{today}", "today.", "Today?", "“today”", f"{today}—{today}"):
        assert (await asked(typed_at, typed)).partition("\n")[0] == plain


async def test_a_command_with_words_it_does_not_take_says_so(typed_at: World) -> None:
    for typed in ("forecast by day", "budgets last week", "help snooze"):
        command, _, more = typed.partition(" ")
        said = f"{command} takes no more words, so “{more}” is not answered: write {command} alone."
        assert (await asked(typed_at, typed)).partition("\n")[0] == said


async def test_a_length_of_time_is_understood_and_told_in_one_zone_everywhere(typed_at: World) -> None:
    message, before = alert(typed_at, "Täglich"), typed_at.now()
    answer = await (await typed_at.slack.command("/agent-usage", "snooze “täglich” for 90 min")).answer()
    [until] = re.findall(r"<!date\^(\d+)\^[^>]*>", str(answer.blocks))
    assert 5399 < int(until) - before.timestamp() < 5430
    assert re.search(r"is snoozed until \d{4}-\d\d-\d\d \d\d:\d\d UTC; its message has Undo\.", answer.text)
    await shows(typed_at, message, "snoozed by ")
    assert f"<!date^{until}^" in str(message.blocks)
    [reply] = await typed_at.slack.until(lambda: typed_at.slack.thread(message) or None, 8, "the reply")
    assert f"<!date^{until}^" in str(reply.blocks)


async def test_what_is_no_time_is_said_to_be_none_and_changes_nothing(typed_at: World) -> None:
    message = alert(typed_at, "Daily minutes")
    said = {
        "snooze Daily minutes until 15:00": "“until 15:00” is neither a time nor an amount: write `30m`, `2 hours`",
        "snooze Daily minutes": "Say until when: `30m`, `2 hours`, ",
        "snooze Daily minutes 90 minutes": "“90 minutes” can be a time or an amount: write `for 90 minutes` or `until",
        "snooze Daily minutes 0 hours": "A snooze lasts from a minute to 366 days: ",
        "snooze Daily minutes €75": "€75 is not a number of minutes",
        "snooze 2 hours": "Say which alert, by its number or name, before until when",
    }
    for typed, words in said.items():
        assert (await asked(typed_at, typed)).startswith(words), typed
    assert typed_at.slack.thread(message) == []


async def test_tomorrow_is_a_night_away_and_an_amount_may_be_curly(typed_at: World) -> None:
    message, now = alert(typed_at, "R&D spend"), typed_at.now()
    answer = await asked(typed_at, "snooze R&D spend until tomorrow")
    assert f"until {midnight(utc_day(now + timedelta(hours=6)) + timedelta(days=1)):%Y-%m-%d %H:%M} UTC;" in answer
    assert "until $75.00;" in await asked(typed_at, "snooze *R&D spend* “75,00 $”")
    await shows(typed_at, message, "until $75.00")
    await typed_at.slack.click(message, "undo")
    await typed_at.slack.until(lambda: "snoozed" not in message.text or None, 8, "the undo")
    number = re.findall(r"Alert (\d)", message.text)[0]
    view = await (await typed_at.slack.click(message, "snooze", value=f"amount:{number}")).view()
    assert (await typed_at.slack.submit_view(view, {"snooze_amount": "“$80.50”"})).errors == {}
    await shows(typed_at, message, "until $80.50")
