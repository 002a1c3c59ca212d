"""What a rules file says, as frozen values.

The classes are plain dataclasses: made directly, nothing is checked. `bot.rules.parse` makes them through pydantic,
which reads the annotations: how each value is written (`bot.rules.value_types`) and what an editor shows for its key
(`bot.rules.schema`). Amounts are exact and in the metric's own unit: US cents, minutes or calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, get_args, get_type_hints

from pydantic import ConfigDict, Discriminator, Field, Tag

from bot.model import Metric, Period
from bot.rules import value_types
from bot.rules.values import nearest
from bot.windows import Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

HUNDRED_PERCENT: Final = Decimal(100)

_CLOSED: Final = ConfigDict(extra="forbid")
_METRIC: Final = "What is measured (default: cost)."


@dataclass(frozen=True, slots=True)
class Level:
    """A percent of a rule's threshold, and the amount that is, in the metric's unit."""

    percent: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Where an alert goes as well when nobody acknowledged it in time."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    after: Annotated[
        value_types.Duration, Field(description="How long to wait for somebody to acknowledge, such as 30m.")
    ]
    channel: Annotated[value_types.Channel, Field(description='Where to tell of it as well, such as "#finance".')]


@dataclass(frozen=True, kw_only=True)
class _AnyRule:
    """What every kind of rule has: its name, and who is told how. A kind says which key makes it, and which of its keys
    are amounts in its metric."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    made_by: ClassVar[str]
    amounts: ClassVar[tuple[str, ...]]

    name: Annotated[
        value_types.Name,
        Field(description="The rule's name in alerts and commands: 1 to 80 characters, unique in the file."),
    ]
    channel: Annotated[
        value_types.Channel | None, Field(description="Where this rule's alerts go (default: the file's channel).")
    ] = None
    mention: Annotated[
        value_types.Mentions,
        Field(
            description='Who is mentioned: "@here", "@channel", a member id (U…) or a user group id (S…), which Slack '
            "copies from a profile or a group's menu; a handle mentions nobody."
        ),
    ] = ()
    remind_every: Annotated[
        value_types.Reminder | None,
        Field(description="Remind this often until somebody acknowledges, such as 4h (default: never)."),
    ] = None
    escalate: Annotated[
        Escalation | None, Field(description="Tell another channel when nobody acknowledged in time.")
    ] = None
    runbook: Annotated[
        value_types.Link | None, Field(description="A web address that says what to do, shown in the alert.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ThresholdRule(_AnyRule):
    """Alerts when a metric reaches a level of its threshold within one window."""

    made_by: ClassVar[str] = "threshold"
    amounts: ClassVar[tuple[str, ...]] = ("threshold", "then_every")

    metric: Annotated[value_types.AnyMetric, Field(description=_METRIC)] = Metric.COST
    period: Annotated[
        value_types.AnyPeriod,
        Field(alias="per", description="The window, on the UTC calendar; weeks start on Monday (default: day)."),
    ] = Period.DAY
    threshold: Annotated[
        value_types.Amount,
        Field(description="The budget: $50 or 5000 cents for money, a plain number for minutes and calls."),
    ]
    alert_at: Annotated[
        value_types.Levels, Field(description="The levels to alert at, in percent of the threshold (default: [100%]).")
    ] = (HUNDRED_PERCENT,)
    then_every: Annotated[
        value_types.Amount | None,
        Field(description="After the last level, alert again for each further amount, such as $25."),
    ] = None
    forecast: Annotated[
        value_types.Switch,
        Field(description="Warn when the window is on course to cross the threshold (default: false)."),
    ] = False
    at_least_calls: Annotated[
        value_types.Calls | None, Field(description="For ratios: say nothing until the window has this many calls.")
    ] = None
    mention_from: Annotated[
        value_types.Percent, Field(description="Mention people only from this level up (default: 100%).")
    ] = HUNDRED_PERCENT

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The levels in rising order, each with its exact amount."""
        return tuple(Level(percent, self.threshold * percent / 100) for percent in self.alert_at)

    @cached_property
    def fingerprint(self) -> str:
        """A short stable hash of what is watched; the same under another name, channel, mention or runbook.

        `forecast` does not count either: it concerns the open window only, and changes no level.
        """
        return _hash(
            "threshold", self.metric, self.period, self.threshold, *self.alert_at, self.then_every, self.at_least_calls
        )


@dataclass(frozen=True, kw_only=True)
class AboveUsualRule(_AnyRule):
    """Alerts when a day stands far above the median of recent same weekdays."""

    made_by: ClassVar[str] = "above_usual"
    amounts: ClassVar[tuple[str, ...]] = ("at_least",)

    metric: Annotated[value_types.AnyMetric, Field(description=_METRIC)] = Metric.COST
    period: Annotated[
        value_types.DayOnly, Field(alias="per", description="Always day: days are compared with recent same weekdays.")
    ] = Period.DAY
    above_usual: Annotated[
        value_types.Multiple,
        Field(description="Alert above this many times the median of recent same weekdays, such as 2x."),
    ]
    at_least: Annotated[value_types.Amount | None, Field(description="Say nothing below this amount, such as $20.")] = (
        None
    )

    @cached_property
    def fingerprint(self) -> str:
        """A short stable hash of what is watched; the same under another name, channel, mention or runbook."""
        return _hash("unusual", self.metric, self.period, self.above_usual, self.at_least)


@dataclass(frozen=True, kw_only=True)
class BelowRule(_AnyRule):
    """Alerts when a UTC day has seen less than an amount by a time of day."""

    made_by: ClassVar[str] = "below"
    amounts: ClassVar[tuple[str, ...]] = ("below",)

    metric: Annotated[value_types.SummedMetric, Field(description=_METRIC)] = Metric.COST
    period: Annotated[
        value_types.DayOnly, Field(alias="per", description="Always day: `below` looks at one UTC day.")
    ] = Period.DAY
    below: Annotated[
        value_types.Amount, Field(description="Alert when the day is still below this amount at the time in `by`.")
    ]
    by: Annotated[value_types.TimeOfDay, Field(description='A time of day in UTC, such as "12:00".')]

    @cached_property
    def fingerprint(self) -> str:
        """A short stable hash of what is watched; the same under another name, channel, mention or runbook."""
        return _hash("silence", self.metric, self.period, self.below, self.by)


Rule = ThresholdRule | AboveUsualRule | BelowRule
"""Every kind of rule: a new one stands here, and with its tag in `Rules`."""

KINDS: Final = get_args(Rule)


def one_of(keys: Iterable[str]) -> str:
    """The keys as a choice: "threshold, above_usual or below"."""
    *others, last = keys
    return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True, kw_only=True)
class Report:
    """A summary posted on a schedule."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    name: Annotated[
        value_types.Name, Field(description="The report's name: 1 to 80 characters, unique among the reports.")
    ]
    schedule: Annotated[
        value_types.Schedule,
        Field(description='When, as cron writes it, in the file\'s timezone: "0 9 * * 1" is Mondays at 9:00.'),
    ]
    period: Annotated[
        value_types.ReportPeriod,
        Field(description="What it covers: today, yesterday, week, last week, month, last month, 7d or last 7 days."),
    ]
    channel: Annotated[
        value_types.Channel | None, Field(description="Where the report goes (default: the file's channel).")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may edit the rules in Slack, and who may ask for figures."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    editors: Annotated[
        value_types.Editors,
        Field(description="Who may edit in Slack: admins, member ids (U…) and user group ids (S…); default: [admins]."),
    ] = ("admins",)
    viewers: Annotated[
        value_types.Viewers,
        Field(description="Who may ask: everyone (but guests), or a list as for editors; default: everyone."),
    ] = ("everyone",)

    @property
    def fingerprint(self) -> str:
        """A short stable hash of who may do what."""
        return _hash("viewers", *self.viewers, "editors", *self.editors)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A declared event: for its days, both ends included, a rule's threshold is raised to this one.

    `threshold` is in the unit of the rule's metric: US cents, minutes or calls.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    first: Annotated[
        value_types.Day, Field(alias="from", description="The event's first day, a UTC day such as 2026-12-01.")
    ]
    last: Annotated[value_types.LastDay, Field(alias="to", description="The event's last day, included.")]
    rule: Annotated[value_types.Name, Field(description="The name of a rule of this file that has a threshold.")]
    threshold: Annotated[
        value_types.RaisedAmount,
        Field(description="The threshold for these days, above the rule's own and in its metric, such as $200."),
    ]
    why: Annotated[value_types.Why, Field(description="What the event is: 1 to 80 characters, such as product launch.")]

    def shares_a_day_with(self, window: Window) -> bool:
        return self.first < window.end and window.start <= self.last


def kind_of(rule: object) -> str:
    """The key that says what kind of rule these keys make: threshold, above_usual or below.

    Without any of them, the most similar key decides, then a key that goes with one of them.
    """
    if not isinstance(rule, Mapping):
        return ThresholdRule.made_by
    kinds = list(KEYS_OF_KIND)
    if found := next((kind for kind in kinds if kind in rule), None):
        return found
    if found := next((near for key in rule if (near := nearest(key, ALL_RULE_KEYS)) in kinds), None):
        return found
    return next(
        (kind for kind, keys in KEYS_OF_KIND.items() if any(key in keys for key in rule)), ThresholdRule.made_by
    )


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A whole rules file."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    channel: Annotated[
        value_types.Channel | None,
        Field(description='Where alerts go unless a rule says otherwise: "#name" or a channel id.'),
    ] = None
    operations_channel: Annotated[
        value_types.Channel | None, Field(description="Where the bot speaks about itself (default: channel).")
    ] = None
    timezone: Annotated[
        value_types.Timezone,
        Field(description="For report schedules only, such as Europe/Berlin (default: UTC); budgets follow UTC days."),
    ] = "UTC"
    rules: Annotated[
        tuple[
            Annotated[
                Annotated[ThresholdRule, Tag(ThresholdRule.made_by)]
                | Annotated[AboveUsualRule, Tag(AboveUsualRule.made_by)]
                | Annotated[BelowRule, Tag(BelowRule.made_by)],
                Discriminator(kind_of),
            ],
            ...,
        ],
        value_types.AtMost("rules"),
        Field(description=f"What to watch: each rule has {one_of(kind.made_by for kind in KINDS)}."),
    ]
    reports: Annotated[
        tuple[Report, ...], value_types.AtMost("reports"), Field(description="Summaries posted on a schedule.")
    ] = ()
    access: Annotated[Access, Field(description="Who may edit the rules in Slack, and who may ask.")] = Access()
    expected: Annotated[
        tuple[Expected, ...],
        value_types.AtMost("expected"),
        Field(description="Declared events, each of which raises a rule's threshold for some days."),
    ] = ()

    def __post_init__(self) -> None:
        if self.operations_channel is None:
            object.__setattr__(self, "operations_channel", self.channel)

    def channel_of(self, entry: Rule | Report) -> str:
        """Where the rule's alerts, or the report, go."""
        where = entry.channel or self.channel
        if where is None:
            raise ValueError(f"neither {entry.name!r} nor the file names a channel")
        return where

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that the file names, each once."""
        escalations = [rule.escalate.channel for rule in self.rules if rule.escalate]
        own = [each.channel for each in (*self.rules, *self.reports)]
        named = [self.channel, self.operations_channel, *own, *escalations]
        return tuple(dict.fromkeys(each for each in named if each))

    def named(self, name: str) -> Rule | None:
        """The rule of this name."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def watches(self, name: str, window: Window) -> bool:
        """Whether the rule of this name looks at windows such as this one."""
        rule = self.named(name)
        return rule is not None and rule.period is window.period

    def expected_in(self, rule_name: str, window: Window) -> Expected | None:
        """The declared event with this rule's highest threshold, among those that share a day with the window."""
        events = (event for event in self.expected if event.rule == rule_name and event.shares_a_day_with(window))
        return max(events, key=lambda event: event.threshold, default=None)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the report schedules."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone)


@cache
def keys_of(model: type[Any]) -> tuple[str, ...]:
    """The keys that may stand in the file for this class, in order."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(_alias(hints[field.name]) or field.name for field in fields(model))


def _alias(annotation: Any) -> str | None:
    """The key as the file writes it, where the field has another name: `from` is no name in Python."""
    return next((part.alias for part in getattr(annotation, "__metadata__", ()) if getattr(part, "alias", None)), None)


ALL_RULE_KEYS: Final = tuple(dict.fromkeys(key for kind in KINDS for key in keys_of(kind)))
"""Every key that a rule of some kind may have."""

KEYS_OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    kind.made_by: tuple(
        key for key in keys_of(kind) if key != kind.made_by and not all(key in keys_of(each) for each in KINDS)
    )
    for kind in KINDS
}
"""The key that makes a rule of each kind, and the keys that go with it and not with every other."""


def _hash(*watched: object) -> str:
    text = "|".join(format(part.normalize(), "f") if isinstance(part, Decimal) else str(part) for part in watched)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
