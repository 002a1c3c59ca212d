"""Whatever happens over some days, each level is told once, and every decision on record explains itself."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta

import pytest

from bot.budget.decide import Reason
from bot.commands.incidents import NotUnderstoodError
from bot.commands.typed.snooze_end import CHOICES, Reaching
from bot.windows import utc_day
from tests.acts import anew
from tests.jobs.check.conftest import HEAD, Bot, Start

DAILY = "  - {{name: Daily, threshold: ${}, alert_at: [50%, 80%, 100%], then_every: $25, remind_every: 4h,"
DAILY += ' escalate: {{after: 30m, channel: "#finance"}}}}\n'
OTHERS = (
    "  - {name: Week, per: week, threshold: $150, forecast: true}\n"
    "  - {name: Length, metric: minutes_per_call, threshold: 4}\n"
    "  - {name: Unusual, above_usual: 2x, at_least: $20}\n"
    '  - {name: Silent, metric: calls, below: 5, by: "12:00"}\n'
)
EVENT = 'expected:\n  - {{from: "{0}", to: "{0}", rule: Daily, threshold: $500, why: Launch}}\n'


async def click(bot: Bot, chance: random.Random) -> None:
    """Somebody does something about any of the alerts."""
    alerts = await bot.incidents.latest(20)
    if not alerts:
        return
    number = chance.choice(alerts).id
    match chance.randrange(4):
        case 0:
            await bot.actions.acknowledge(number, anew("U1"))
        case 1:
            await bot.actions.undo(number, anew("U2"), others=True)
        case _:
            with contextlib.suppress(NotUnderstoodError):
                until = chance.choice([*CHOICES.values(), Reaching("$120"), Reaching("130")])
                await bot.actions.snooze(number, anew("U3"), until)


async def act(bot: Bot, chance: random.Random) -> None:
    """Something happens between two checks."""
    today = utc_day(bot.clock())
    match chance.randrange(8):
        case 0 | 1:
            await click(bot, chance)
        case 2:
            day = today - timedelta(days=chance.randrange(4))
            bot.usage.spend(chance.randrange(160), day)
        case 3:
            bot.usage.missing = {today - timedelta(days=chance.randrange(3))} if chance.random() < 0.5 else set()
        case 4:
            path = bot.rules_file
            daily = DAILY.format(chance.choice([40, 50, 90])) if chance.random() < 0.8 else ""
            event = EVENT.format(today) if daily and chance.random() < 0.3 else ""
            path.write_text(HEAD + daily + OTHERS + event)
            if await bot.rules.look():
                await bot.checker.judge_again()
        case _:
            now = bot.usage.days.get(today)
            bot.usage.spend((now.cents if now else 0) / 100 + chance.randrange(30), today)


@pytest.mark.parametrize("seed", range(6))
async def test_every_decision_of_any_story_is_explained_by_the_same_reason(start: Start, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 a story, not a secret
    bot = await start(DAILY.format(50) + OTHERS)
    for _ in range(100):
        await act(bot, chance)
        bot.clock.go(minutes=chance.choice([5, 5, 20, 60, 240]))
        said = await bot.check()
        again = await bot.check()  # nothing is told twice; what is news was told before others are called in
        assert again in ([], ["ESCALATED Daily"]), f"after {said}"
        if chance.random() < 0.05:
            bot = await start()
            assert await bot.check() == []
    await bot.explains_itself()
    for stored in await bot.incidents.latest(100):
        reasons = [each.reason for each in await bot.incidents.decisions_of(stored.id)]
        assert reasons[0].is_news
        assert reasons.count(Reason.ESCALATED) <= 1
    posts = [words for words in await bot.hears() if words.startswith("post ")]
    assert len(posts) == len(await bot.incidents.latest(1000))
