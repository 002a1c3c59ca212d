"""What a kind of rule must answer. mypy refuses a kind that lacks an answer; nothing is answered by default."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from bot.budget.forecast import Forecast
from bot.budget.incident import LevelKey, Severity
from bot.budget.measure import Value
from bot.budget.reason import Reason
from bot.budget.standing import Inputs, Judged, Standing
from bot.rules.models import Level
from bot.windows import Window

R = TypeVar("R")


class RuleKind(Protocol[R]):
    """One kind of rule: what its rules watch, when they speak, and the amounts they speak of.

    Amounts are in the metric's unit (US cents, minutes, calls). What is text is plain text, without anybody's escapes.
    """

    @property
    def rule(self) -> type[R]:
        """The class of its rules."""

    # What evaluate asks

    def standing(self, rule: R, judged: Judged, inputs: Inputs) -> Standing:
        """The rule's value and level in a window."""

    # What decide asks

    @property
    def ends_early(self) -> str | None:
        """What has ended, such as "the silence has ended", where an incident is over as soon as nothing is reached any
        more; None where it lasts until its window's end."""

    def reason(self, rule: R, level: Level) -> Reason:
        """Why a level that was not told is told: `CROSSED`, of which decide makes `RAISED` where it is not the first,
        or a reason of the kind's own."""

    def told_with(self, rule: R, key: LevelKey) -> Sequence[LevelKey]:
        """What counts as told with this key, the highest first, so that a figure that falls tells none of it."""

    def severity(self, rule: R, amount: Decimal) -> Severity:
        """How grave it is that the value reaches an amount which somebody chose."""

    def foreseen(self, rule: R, standing: Standing) -> LevelKey | None:
        """The key of a crossing that is likely and has not happened."""

    def calls_people(self, rule: R, level: Level) -> bool:
        """Whether people are mentioned, and others called in, for this level."""

    # What messages and answers ask

    def has_course(self, rule: R) -> bool:
        """Whether it can be said where an open window is heading."""

    def outlook(self, rule: R, window: Window, inputs: Inputs) -> Forecast | None:
        """Where an open window is heading, also where the rule does not ask to be warned of it; None where nobody can
        say."""

    def watched(self, rule: R) -> tuple[str, str]:
        """What the rule watches, such as "cost per day, threshold $50.00", and its levels, "-" where it has none."""

    def figures(self, rule: R, standing: Standing, value: Value) -> str:
        """The value beside what it is held against, for the first line: "$42.00 of $50.00 (84%)"."""

    @property
    def no_figures(self) -> str:
        """The same where there is no value yet: "too little to tell"."""

    @property
    def figures_tell_usual(self) -> bool:
        """Whether these figures say already how the value stands to a usual day's."""

    def bound(self, rule: R, standing: Standing) -> tuple[str, Value]:
        """The line in the chart that the value is held against: its name, and its amount."""

    @property
    def no_amount(self) -> str | None:
        """Why a snooze can't last until an amount, as one sentence; None where it can."""
