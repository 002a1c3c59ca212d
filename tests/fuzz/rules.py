"""The rules file: whatever stands in it, it is rules or mistakes that have a place and say what to do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from bot.rules.mistakes import MAX_MISTAKES, RulesError
from bot.rules.parse import decode, parse

_FOLDER = Path(__file__).parents[1]

SEEDS = tuple(
    file.read_bytes()
    for file in (_FOLDER / "rules" / "good.yaml", *sorted((_FOLDER / "bad_rules").glob("*.yaml")))
    if file.stat().st_size < 2_000
)


@contextlib.asynccontextmanager
async def target() -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """One look at a file with these bytes. What the first look loads is no fault of its bytes, and takes longer."""
    parse("channel: '#x'\ntimezone: Europe/Berlin\nrules: []\n")
    yield _tried


async def _tried(given: bytes) -> None:
    try:
        parse(decode(given))
    except RulesError as error:
        assert 0 < len(error.mistakes) <= MAX_MISTAKES  # noqa: PT017 what is told, if anything, is the point
        for mistake in error.mistakes:
            assert mistake.line > 0 < mistake.column
            assert mistake.message.endswith((".", "?"))
            assert "\n" not in mistake.message
