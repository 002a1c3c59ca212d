"""`budgets`: where each budget stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.answer import budgets
from bot.commands.command import Command, alone
from bot.commands.figures import Figures
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import BudgetsAnswer
    from bot.commands.context import Context
    from bot.model import Reading


@dataclass(frozen=True, slots=True)
class Budgets(Request):
    """Every budget's standing."""


def _budgets(context: Context, _request: Budgets, reading: Reading) -> BudgetsAnswer:
    return budgets(context.rules.current, reading, context.source(reading))


_FIGURES: Final[Figures[Budgets]] = Figures(lambda context, _request: context.checked_span, _budgets)

BUDGETS: Final = Command(
    name="budgets",
    request=Budgets,
    usage="budgets",
    help="where each budget stands",
    parse=alone,
    answer=_FIGURES.answer,
    at_once=_FIGURES.at_once,
    hint="budgets",
    has_figures=True,
)
