"""What a command is: what is typed, what the help says of it, how the rest is read, and what is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bot.commands.request import Help, Request
from bot.commands.typed.user_input import shown, typed_of

if TYPE_CHECKING:
    from datetime import date

    from bot.commands.answer import Answer
    from bot.commands.context import Context
    from bot.commands.typed.user_input import Words
    from bot.model import Act

R = TypeVar("R", bound=Request)


def _not_known(_context: Context, _request: Request) -> None:
    """What takes waiting is not known at once."""


@dataclass(frozen=True, slots=True)
class Command(Generic[R]):
    """One thing that can be asked or done by typing.

    `name` is the word that calls it, None where none does: for nothing typed, and for a period. `usage` and `help` are
    its line in the help; `hint` is how Slack's input field shows it, None where it does not. `parse` reads the words
    after the name (all of them where it has none) on a UTC day, and may answer Help that says what is wrong with them.
    `at_once` answers what is known without waiting for anything, else None; `answer` may wait, and raises BotError or
    NotUnderstoodError with a sentence for the asker. `has_figures` says whether the answer may be shown to a channel.
    """

    name: str | None
    request: type[R]
    usage: str
    help: str
    parse: Callable[[Command[R], Words, date], R | Help]
    answer: Callable[[Context, R, Act], Awaitable[Answer]]
    at_once: Callable[[Context, R], Answer | None] = _not_known
    hint: str | None = None
    has_figures: bool = False

    @property
    def takes_words(self) -> bool:
        """Whether more is typed after its name."""
        return self.name is not None and self.usage != self.name


def alone(command: Command[R], rest: Words, _today: date) -> R | Help:
    """Nothing is typed after the name."""
    if rest:
        name = command.name
        return Help(f"`{name}` takes no more words, so “{shown(rest)}” is not answered: write `{name}` alone.")
    return command.request()


def with_alert(make: Callable[[str], R]) -> Callable[[Command[R], Words, date], R | Help]:
    """An alert is named after it; what follows is kept as it was typed, since only names tell where one ends."""

    def parse(command: Command[R], rest: Words, _today: date) -> R | Help:
        if not rest:
            return Help(f"`{command.name}` needs the number or the name of an alert, as in `{command.usage}`.")
        return make(typed_of(rest))

    return parse


AnyCommand = Command[Any]
