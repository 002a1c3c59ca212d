"""`agent-usage sandbox`: the simulated pair, the real bot between them, and one day's conversation in the terminal."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from bot.sandbox.slack.workspace import ADMIN, MEMBER, Message
from bot.sandbox.world import World
from bot.windows import utc_day

CHANNEL = "voice-spend"
CENTS_A_MINUTE = 6
PATIENCE = 15.0  # seconds for each thing that is to happen


async def run() -> int:
    """Tell the story; 0 where everything happened as promised. Raises TimeoutError where something did not."""
    out = Console(highlight=False, soft_wrap=True, width=100)
    with tempfile.TemporaryDirectory(prefix="agent-usage-sandbox-") as folder:
        async with World(Path(folder)) as world:
            await Story(world, out).tell()
    return 0


class Story:
    """One conversation, printed as it happens."""

    def __init__(self, world: World, out: Console) -> None:
        self._world = world
        self._out = out

    async def tell(self) -> None:
        """Ask, spend, be warned, be told, kill the bot, and see that nothing is told twice."""
        world = self._world
        self._weeks_before()
        self._scene("Simulated Cartesia and Slack on 127.0.0.1, the real bot between them, in Socket Mode")
        self._calls(minutes=320)
        bot = await world.run()
        await world.checks()
        await self._ask(MEMBER, "")
        self._scene("More calls: 80% of the day's $50.00 is spent")
        self._calls(minutes=380)
        await self._posted(1)
        self._scene("And more: the budget breaks")
        self._calls(minutes=200)
        await self._posted(2)
        await self._ask(ADMIN, "last 3 days by day")
        await self._ask(ADMIN, "busgets")
        self._scene("The bot is killed (SIGKILL) and started again: nothing is told twice")
        await bot.stop(9)
        again = await world.run()
        await world.checks(2)
        await self._ask(ADMIN, "status")
        code = await again.stop()
        told = len(world.slack.messages(CHANNEL))
        self._scene(f"SIGTERM: exit code {code}; {told} messages in #{CHANNEL}, each told once")
        self._out.print("For real: `python -m bot manifest` prints the Slack app; the README has the ten minutes.")

    def _weeks_before(self) -> None:
        today = utc_day(self._world.now())
        for back in range(1, 60):
            day = today - timedelta(days=back)
            minutes = 240 if day.weekday() >= 5 else 520 + 13 * (back % 7)
            self._world.cartesia.set_day(day, minutes * CENTS_A_MINUTE, Decimal(minutes), minutes // 4)

    def _calls(self, minutes: int) -> None:
        today = utc_day(self._world.now())
        self._world.cartesia.add(today, minutes * CENTS_A_MINUTE, Decimal(minutes), minutes // 4)
        self._out.print(f"  [dim]{minutes // 4} calls, {minutes} minutes, at $0.06 a minute[/dim]")

    async def _ask(self, user: str, text: str) -> None:
        person = self._world.slack.workspace.users[user]
        self._out.print(f"\n[bold]{person.name}[/bold]  /agent-usage {text}")
        typed = await self._world.slack.command("/agent-usage", text, user=user)
        answer = await typed.answer(PATIENCE)
        self._out.print(f"[dim]only visible to {person.name}, after {answer.seconds:.2f} s[/dim]")
        self._show(answer.text)

    async def _posted(self, count: int) -> None:
        def enough() -> list[Message] | None:
            posted = self._world.slack.messages(CHANNEL)
            return posted if len(posted) >= count else None

        message = (await self._world.slack.until(enough, PATIENCE, f"message {count} in #{CHANNEL}"))[-1]
        self._out.print(f"\n[bold]agent-usage[/bold]  in #{CHANNEL}{' and in the thread' if message.thread_ts else ''}")
        self._show(message.text)

    def _show(self, text: str) -> None:
        for line in text.splitlines():
            self._out.print("  " + line, markup=False)

    def _scene(self, words: str) -> None:
        self._out.print()
        self._out.print(Rule(words, align="left"))
