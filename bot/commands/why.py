"""`why ALERT`: the whole account of one alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.command import Command, with_alert
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import WhyAnswer
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class Why(Request):
    """The whole account of one alert, by its number or its rule's name as it was typed."""

    alert: str


async def _answer(context: Context, request: Why, _act: Act) -> WhyAnswer:
    return await context.incidents.why(request.alert)


WHY: Final = Command(
    name="why",
    request=Why,
    usage="why ALERT",
    help="the account of one alert: its figures, its rule, each decision and each delivery",
    parse=with_alert(Why),
    answer=_answer,
)
