"""Answers as values: figures, standings, states. Slack's blocks and the terminal's tables are made from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.budget import kinds
from bot.budget.decide import Decision
from bot.budget.evaluate import Inputs, Standing, evaluate
from bot.budget.forecast import Forecast
from bot.budget.history import Attempted, Curves, Recorded, Restated
from bot.budget.incident import Incident, Snooze
from bot.budget.sums import Sums
from bot.commands.request import Summary
from bot.model import Message, Outage, Period, Reading, Span, Totals
from bot.rules.models import Rule, Rules
from bot.windows import Window, utc_day, window_of, windows_within


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer's figures are from: when they were read, and the outage that keeps them from being newer."""

    read_at: datetime
    now: datetime
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One window's part of a summary, cut to the days asked for."""

    span: Span
    totals: Totals


@dataclass(frozen=True, slots=True)
class SummaryAnswer:
    """The usage asked for; `missing` are days that Cartesia sent no bucket for."""

    request: Summary
    totals: Totals
    rows: tuple[Row, ...]
    missing: tuple[date, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class BudgetsAnswer:
    """Every rule's standing in its open window, and the `unread` rules: Cartesia gave no figure for their window."""

    standings: tuple[Standing, ...]
    source: Source
    unread: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class OverviewAnswer:
    """Today, the month to date, the budgets, and the recent days."""

    today: Totals
    month: SummaryAnswer
    budgets: BudgetsAnswer
    recent: tuple[Row, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Every decision of one check."""

    decisions: tuple[Decision, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class OutlookAnswer:
    """Where each open budget is heading; None where history is too short to say."""

    budgets: tuple[tuple[Standing, Forecast | None], ...]
    source: Source


@dataclass(frozen=True, slots=True)
class AlertsAnswer:
    """The last incidents, the newest first: number, state, and the message."""

    alerts: tuple[tuple[int, Incident, Message], ...]


@dataclass(frozen=True, slots=True)
class RestatementsAnswer:
    """The past days whose figures changed, the newest first, among those since `since`."""

    days: tuple[Restated, ...]
    since: date


@dataclass(frozen=True, slots=True)
class ReplayedDecision:
    """One decision, the rule as it was then, and what the recorded figures lead to when they are judged again."""

    recorded: Recorded
    rule: Rule | None
    replayed: Decision | None


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """The account of one incident."""

    alert: int
    rule: str
    window: Window
    decisions: tuple[ReplayedDecision, ...]
    deliveries: tuple[Attempted, ...]


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Somebody has quiet, and until when."""

    alert: int
    snooze: Snooze


StatusLine = tuple[bool, str]  # whether it is well, and what


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """How the bot is, as lines that each say one thing and whether it is well."""

    lines: tuple[StatusLine, ...]


@dataclass(frozen=True, slots=True)
class HelpAnswer:
    """What can be typed, after a sentence on what was not understood (possibly none): what nothing typed answers, the
    periods, and the commands, each as it is typed and what it answers."""

    problem: str
    nothing: str
    periods: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sorry:
    """Why there is no answer, in one plain sentence."""

    sentence: str


Answer = (
    SummaryAnswer
    | BudgetsAnswer
    | OverviewAnswer
    | CheckAnswer
    | OutlookAnswer
    | AlertsAnswer
    | RestatementsAnswer
    | WhyAnswer
    | Snoozed
    | StatusAnswer
    | HelpAnswer
    | Sorry
)
RECENT_DAYS = 14


def summarize(request: Summary, reading: Reading, source: Source) -> SummaryAnswer:
    """The sums over the days asked for, and over each day, week or month of them."""
    sums = Sums(reading)
    rows = () if request.by is None else tuple(_rows(request.span, request.by, sums))
    return SummaryAnswer(
        request=request,
        totals=sums.total(request.span) or Totals(),
        rows=rows,
        missing=tuple(reading.missing(request.span)),
        source=source,
    )


def budgets(rules: Rules, reading: Reading, source: Source) -> BudgetsAnswer:
    """The open windows only."""
    inputs = Inputs(Sums(reading), expected_in=rules.expected_in)
    today = utc_day(source.now)
    standings = tuple(each for each in evaluate(rules.rules, inputs, {}, source.now) if each.window.end > today)
    told = {standing.rule.name for standing in standings}
    return BudgetsAnswer(standings, source, tuple(rule for rule in rules.rules if rule.name not in told))


def outlook(rules: Rules, reading: Reading, curves: Curves, source: Source) -> OutlookAnswer:
    """Every budget whose metric adds up, in its open window."""
    found = budgets(rules, reading, source).standings
    inputs = Inputs(Sums(reading), curves)
    return OutlookAnswer(
        tuple(
            (each, kinds.of(each.rule).outlook(each.rule, each.window, inputs))
            for each in found
            if kinds.of(each.rule).has_course(each.rule)
        ),
        source,
    )


def overview(rules: Rules, reading: Reading, source: Source) -> OverviewAnswer:
    """What `/agent-usage` alone answers."""
    today = utc_day(source.now)
    day = window_of(Period.DAY, today).span
    recent = Span(date.fromordinal(today.toordinal() - RECENT_DAYS + 1), day.end)
    month = Span(window_of(Period.MONTH, today).start, day.end)
    return OverviewAnswer(
        today=Sums(reading).total(day) or Totals(),
        month=summarize(Summary(month), reading, source),
        budgets=budgets(rules, reading, source),
        recent=tuple(_rows(recent, Period.DAY, Sums(reading))),
        source=source,
    )


def _rows(span: Span, by: Period, sums: Sums) -> Sequence[Row]:
    cut = (Span(max(w.start, span.start), min(w.end, span.end)) for w in windows_within(by, span))
    return [Row(part, sums.total(part) or Totals()) for part in cut]
