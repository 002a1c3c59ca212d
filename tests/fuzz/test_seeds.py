"""The targets find nothing where nothing is wrong: their seeds, without atheris, in every run of the tests."""

from __future__ import annotations

import logging
from types import ModuleType

import pytest

from tests.fuzz import cartesia, http_mode, rules, slack
from tests.fuzz.finding import Finding, judged


@pytest.mark.parametrize("target", [http_mode, cartesia, rules, slack], ids=["http_mode", "cartesia", "rules", "slack"])
async def test_the_seeds_of_a_target_find_nothing(target: ModuleType) -> None:
    async with target.target() as tried:
        for seed in target.SEEDS:
            await judged(tried, seed)


async def test_an_error_that_is_only_logged_is_a_finding() -> None:
    async def tried(_: bytes) -> None:
        logging.getLogger("bot").error("nobody foresaw it")

    with pytest.raises(Finding, match="nobody foresaw it"):
        await judged(tried, b"")
