"""Steps, unusual days and silence, from the rules file to the channel."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.world import World
from bot.windows import utc_day

HEAD = 'channel: "#voice-spend"\nrules:\n'


async def first_lines(world: World, count: int = 1) -> list[str]:
    def enough() -> list[str] | None:
        found = [message.text.splitlines()[0] for message in world.slack.messages("voice-spend")]
        return found if len(found) >= count else None

    return await world.slack.until(enough, 10, f"{count} messages")


async def test_a_day_far_above_the_usual_is_told_with_what_is_usual(world: World) -> None:
    world.rules_file.write_text(HEAD + "  - {name: Unusual day, above_usual: 2x, at_least: $20}\n")
    today = utc_day(world.now())
    for weeks in range(1, 5):
        world.cartesia.set_day(today - timedelta(weeks=weeks), cents=4000)
    world.cartesia.set_day(today, cents=8990)
    await world.run()
    assert await first_lines(world) == [f"🔴 Unusual day: $89.90, 2.2× a usual {today:%A} ($40.00)"]
    await world.checks(2)
    assert len(world.slack.messages("voice-spend")) == 1


async def test_a_line_that_stays_silent_is_told(world: World) -> None:
    world.rules_file.write_text(HEAD + '  - {name: Phone line, metric: calls, below: 1, by: "00:01"}\n')
    await world.run()
    assert await first_lines(world) == ["🔴 Phone line: 0 calls, at least 1 call expected by 00:01 UTC"]


async def test_each_further_step_is_told_in_the_thread(world: World) -> None:
    world.rules_file.write_text(HEAD + "  - {name: Daily spend, threshold: $50, then_every: $25}\n")
    world.cartesia.set_day(utc_day(world.now()), cents=5100)
    await world.run()
    assert await first_lines(world) == ["🔴 Daily spend: $51.00 of $50.00 (102%)"]
    world.cartesia.set_day(utc_day(world.now()), cents=10100)
    state, step = await first_lines(world, 2)
    assert state == step == "🔴 Daily spend: $101.00 of $50.00 (202%)"
    await world.checks(2)
    assert len(world.slack.messages("voice-spend")) == 2
