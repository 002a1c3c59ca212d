"""`/agent-usage` alone: where everything stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.answer import overview
from bot.commands.command import Command, alone
from bot.commands.figures import Figures
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import OverviewAnswer
    from bot.commands.context import Context
    from bot.model import Reading


@dataclass(frozen=True, slots=True)
class Overview(Request):
    """Today, the month to date, every budget, and a chart."""


def _overview(context: Context, _request: Overview, reading: Reading) -> OverviewAnswer:
    return overview(context.rules.current, reading, context.source(reading))


_FIGURES: Final[Figures[Overview]] = Figures(lambda context, _request: context.checked_span, _overview)

OVERVIEW: Final = Command(
    name=None,
    request=Overview,
    usage="",
    help="today, the month to date, every budget, and a chart",
    parse=alone,
    answer=_FIGURES.answer,
    at_once=_FIGURES.at_once,
    has_figures=True,
)
