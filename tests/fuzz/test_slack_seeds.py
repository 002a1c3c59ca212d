"""Whatever Slack answers among the seeds of the fuzzer, nothing is wrong with the bot."""

from __future__ import annotations

from tests.fuzz import slack
from tests.fuzz.finding import judged


async def test_no_seed_of_slacks_answers_is_a_finding() -> None:
    async with slack.target() as tried:
        for seed in slack.SEEDS:
            await judged(tried, seed)
