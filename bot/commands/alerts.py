"""`alerts`: the last alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.command import Command, alone
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import AlertsAnswer
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class Alerts(Request):
    """The last alerts, with their numbers."""


async def _answer(context: Context, _request: Alerts, _act: Act) -> AlertsAnswer:
    return await context.incidents.last_alerts()


ALERTS: Final = Command(
    name="alerts",
    request=Alerts,
    usage="alerts",
    help="the last alerts, with their numbers",
    parse=alone,
    answer=_answer,
    hint="alerts",
)
