"""One mistake of a rules file, and the error that carries all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bot.errors import BotError


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong at a place (both counted from 1), in one plain sentence that says what to do."""

    line: int
    column: int
    message: str

    def format(self, filename: str) -> str:
        """As compilers write it, so that editors and terminals can jump there: `rules.yaml:41:7: …`."""
        return f"{filename}:{self.line}:{self.column}: {self.message}"


MAX_MISTAKES: Final = 100
"""Beyond them nobody reads on: a file that is no rules file must not fill the log and the channel."""


class RulesError(BotError):
    """A rules file holds mistakes; `mistakes` has every one of them, in the order of their places: the first hundred,
    and then that there are more."""

    def __init__(self, mistakes: tuple[Mistake, ...], filename: str = "rules.yaml") -> None:
        self.mistakes = mistakes = _first(mistakes)
        super().__init__("\n".join(mistake.format(filename) for mistake in mistakes))


def _first(mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    if len(mistakes) <= MAX_MISTAKES:
        return mistakes
    *first, last = mistakes[:MAX_MISTAKES]
    return *first, replace(
        last, message=f"From here on there are further mistakes; mend the {len(first)} before first."
    )
