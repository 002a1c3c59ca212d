"""What is asked of one running bot, in both modes: sums to the cent, and any text at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.model import Span
from bot.money import dollars
from bot.sandbox.slack.workspace import MEMBER
from bot.sandbox.world import World
from bot.windows import utc_day
from tests.end_to_end.test_commands import COMMAND, history
from tests.forks import ForkServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("asking")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forks: ForkServer
) -> AsyncIterator[World]:
    """An account with a history, and the bot that is asked."""
    async with World(tmp_path_factory.mktemp("asked"), spawn=forks.spawn) as world:
        history(world)
        await (world.run() if request.param == "socket" else world.run_http())
        yield world


@pytest.mark.parametrize("text", ["today", "yesterday", "week", "month", "7d", "last 30 days", "7d by week"])
async def test_sums_match_the_account_to_the_cent(asked: World, text: str) -> None:
    today = utc_day(asked.now())
    start = {
        "today": today,
        "yesterday": today - timedelta(days=1),
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "7d": today - timedelta(days=6),
        "last 30 days": today - timedelta(days=29),
        "7d by week": today - timedelta(days=6),
    }[text]
    span = Span(start, today if text == "yesterday" else today + timedelta(days=1))
    answer = await (await asked.slack.command(COMMAND, text)).answer()
    assert dollars(asked.cartesia.total(span).cents) in answer.text.splitlines()[0]
    assert answer.seconds < 3


@pytest.mark.parametrize("text", ["help", "tody", "9999-99-99", "<!channel> & so on", "x" * 3000, "week by year", "0d"])
async def test_any_text_gets_an_answer_at_once(asked: World, text: str) -> None:
    typed = await asked.slack.command(COMMAND, text, user=MEMBER)
    answer = await typed.answer()
    assert answer.response_type == "ephemeral"
    assert answer.seconds < 3
    assert "<!channel>" not in answer.text
