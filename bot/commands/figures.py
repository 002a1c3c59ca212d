"""How every command answers that is about figures alone: at once where they are known, else from a reading made now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import Answer
    from bot.commands.context import Context
    from bot.model import Act, Reading, Span

R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class Figures(Generic[R]):
    """Answers to `R`: from a reading of the days that `span` gives, by `make`."""

    span: Callable[[Context, R], Span]
    make: Callable[[Context, R, Reading], Answer]

    def at_once(self, context: Context, request: R) -> Answer | None:
        reading = context.known(self.span(context, request))
        return self.make(context, request, reading) if reading else None

    async def answer(self, context: Context, request: R, _act: Act) -> Answer:
        """Raises NoFigures."""
        return self.make(context, request, await context.read(self.span(context, request)))
