"""`snooze NAME 1 hour`: quiet for an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.command import Command, with_alert
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import Snoozed, Sorry
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class SnoozeAlert(Request):
    """Quiet for an alert: its number or name and until when, as they were typed; only names tell where one ends."""

    words: str


async def _answer(context: Context, request: SnoozeAlert, act: Act) -> Snoozed | Sorry:
    return await context.incidents.snooze_typed(request.words, act)


SNOOZE: Final = Command(
    name="snooze",
    request=SnoozeAlert,
    usage="snooze NAME 1 hour",
    help="quiet for that long; also `tomorrow`, `next level`, or an amount such as $75",
    parse=with_alert(SnoozeAlert),
    answer=_answer,
)
