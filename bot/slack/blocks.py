"""What the bot says about itself, and its answers, as blocks and as plain text that carries it all by itself. Pure.

Limits are Slack's: a chart at most 20 points
(https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block), a data_table at most 200 rows
(https://docs.slack.dev/reference/block-kit/blocks/data-table-block).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from bot.budget.evaluate import Standing
from bot.budget.forecast import Forecast
from bot.commands.answer import (
    AlertsAnswer,
    Answer,
    BudgetsAnswer,
    CheckAnswer,
    HelpAnswer,
    OutlookAnswer,
    OverviewAnswer,
    ReplayedDecision,
    RestatementsAnswer,
    Row,
    Snoozed,
    Sorry,
    Source,
    StatusAnswer,
    SummaryAnswer,
    WhyAnswer,
)
from bot.model import Message, Metric, Period, Totals
from bot.money import compared, count, dollars, number, set_amount
from bot.rules.mistakes import Mistake
from bot.rules.models import Rule
from bot.slack.alerts import until_words
from bot.slack.parts import (
    SECTION,
    Block,
    beside,
    context,
    cut,
    escape,
    fenced,
    fitting,
    joined,
    of_blocks,
    plain,
    section,
    slack_moment,
)
from bot.windows import midnight, utc_day
from bot.words import operations
from bot.words.alerts import course, headline, level_marker, watched
from bot.words.units import signed_dollars, span_words, totals_words, utc_clock, utc_moment, window_words

_MISTAKE = 500  # characters of one mistake of a rules file; five times as many once escaped, at the worst
_TABLE_ROWS = 100  # both generations of data_table take so many

# What the bot says about itself, in the operations channel


def rules_broken(filename: str, mistakes: Sequence[Mistake]) -> Message:
    intro = escape(operations.rules_broken(filename, len(mistakes)))
    lines = [escape(cut(mistake.format(filename), _MISTAKE)) for mistake in mistakes]
    body = "\n".join(fitting(lines, SECTION - 100))
    return of_blocks(f"{intro}\n{body}", [section(intro), section(f"```{fenced(body)}```")])


def rules_mended(filename: str) -> Message:
    return plain(operations.rules_mended(filename))


def destinations(sentences: Sequence[str]) -> Message:
    """Channels of the rules that need somebody."""
    return joined([escape(each) for each in sentences])


def blind(since: datetime, why: str) -> Message:
    why = escape(why)
    return of_blocks(operations.blind(utc_moment(since), why), [section(operations.blind(slack_moment(since), why))])


def delivered_again(since: datetime, why: str, now: datetime) -> Message:
    why = escape(why).rstrip(".")
    text = operations.delivered_again(utc_moment(since), utc_moment(now), why)
    return of_blocks(text, [section(operations.delivered_again(slack_moment(since), slack_moment(now), why))])


def sees_again(since: datetime, now: datetime) -> Message:
    text = operations.sees_again(utc_moment(since), utc_moment(now))
    return of_blocks(text, [section(operations.sees_again(slack_moment(since), slack_moment(now)))])


def another_account(days: int) -> Message:
    return plain(operations.another_account(days))


def taken_over() -> Message:
    return plain(operations.taken_over())


def as_before() -> Message:
    return plain(operations.as_before())


def rerouted(message: Message, channel: str, mend: str) -> Message:
    """An alert that its own channel did not take, for the operations channel."""
    notice = escape(operations.rerouted(channel, mend))
    return of_blocks(f"{notice}\n{beside(notice, message.text)}", [section(notice), *message.blocks])


def repeated(message: Message, row_id: str) -> Message:
    """A message that Slack may have already, where its history can't be read."""
    notice = operations.repeated(row_id)
    return of_blocks(f"{beside(notice, message.text)}\n{notice}", [*message.blocks, context(notice)])


# Answers


def render(answer: Answer) -> Message:
    """An answer to a command, for the asker alone."""
    match answer:
        case SummaryAnswer():
            return _summary(answer)
        case OverviewAnswer():
            return _overview(answer)
        case BudgetsAnswer():
            return joined(["*Budgets*", *_budget_lines(answer)], [_age(answer.source)], share="budgets")
        case HelpAnswer():
            return _help(answer)
        case Sorry():
            return plain(answer.sentence)
        case Snoozed():
            return joined(
                [f"Alert {answer.alert} is snoozed until {until_words(answer.snooze)}; its message has Undo."]
            )
        case _:
            return _account(answer)


_Account = CheckAnswer | OutlookAnswer | AlertsAnswer | RestatementsAnswer | WhyAnswer | StatusAnswer


def _account(answer: _Account) -> Message:
    """What the bot decided, foresees, said and suffers from, as lines under a title."""
    match answer:
        case CheckAnswer():
            return joined(["*Checked now*", *_decision_lines(answer)], [_age(answer.source)])
        case OutlookAnswer():
            return joined(["*Forecast*", *_outlook_lines(answer)], [_age(answer.source)])
        case AlertsAnswer():
            return joined(["*Alerts*, the newest first", *_alert_lines(answer)])
        case RestatementsAnswer():
            return joined([f"*Restatements* since {answer.since}", *_restated_lines(answer)])
        case WhyAnswer():
            title = f"*Alert {answer.alert}*: {escape(answer.rule)}, {window_words(answer.window)}"
            return joined([title, *why_lines(answer)])
        case StatusAnswer():
            return joined(["*Status*", *(f"{'✅' if well else '🔴'} {escape(line)}" for well, line in answer.lines)])


def _decision_lines(answer: CheckAnswer) -> list[str]:
    lines = [
        f"`{each.reason}` {escape(headline(each.standing))} · {window_words(each.standing.window)}"
        for each in answer.decisions
    ]
    return lines or ["There is no budget to check, or Cartesia gave no figures to check it by."]


def _outlook_lines(answer: OutlookAnswer) -> list[str]:
    lines = [
        f"{_foreseen(standing, found)} {escape(headline(standing))} · {window_words(standing.window)} · "
        + (course(standing, found) if found else "too little history to say where it is heading")
        for standing, found in answer.budgets
    ]
    return lines or ["There is no budget on cost, minutes or calls whose end could be foreseen."]


def _foreseen(standing: Standing, found: Forecast | None) -> str:
    """As `_state`, and 🟡 as well where crossing is likely."""
    return "🟡" if standing.level is None and found and found.likely else _state(standing)


def _alert_lines(answer: AlertsAnswer) -> list[str]:
    lines = []
    for alert, state, base_message in answer.alerts:
        first = base_message.text.partition("\n")[0]
        parts = [f"{alert}: {first}", f"since {slack_moment(state.opened_at)}"]
        parts += ["closed"] if state.closed else []
        parts += ["acknowledged"] if state.acknowledged else []
        parts += [f"snoozed until {until_words(state.snooze)}"] if state.snooze and not state.closed else []
        lines.append(" · ".join(parts))
    return lines or ["There has been no alert yet."]


def _restated_lines(answer: RestatementsAnswer) -> list[str]:
    lines = []
    for each in answer.days:
        late = (each.read_at - midnight(each.day + timedelta(days=1))).total_seconds() / 3600
        when = f"{count(round(late), 'hour') if late >= 1 else 'less than an hour'} after the day's end"
        lines.append(f"{each.day:%A} {each.day}: {', '.join([*_moved(each.was, each.now), when])}")
    return lines or ["No past day's figure has changed."]


def _moved(was: Totals, now: Totals) -> list[str]:
    """What of a day's figures moved: "was $50.00, now $52.00 (+$2.00)", "8 calls more"."""
    cost = f"was {dollars(was.cents)}, now {dollars(now.cents)}"
    moved = (
        [f"{cost} ({signed_dollars(now.cents - was.cents)})"]
        if now.cents != was.cents
        else [f"{dollars(now.cents)} as before"]
    )
    minutes, calls = now.minutes - was.minutes, now.calls - was.calls
    if minutes:
        difference, _ = compared(Metric.MINUTES, Fraction(abs(minutes)), 0, operator.gt)
        moved.append(f"{difference} {'more' if minutes > 0 else 'less'}")
    if calls:
        moved.append(f"{count(abs(calls), 'call')} {'more' if calls > 0 else 'fewer'}")
    return moved


def why_lines(answer: WhyAnswer) -> list[str]:
    """The account of one incident, decision by decision, then each message."""
    lines = []
    for decision in answer.decisions:
        recorded = decision.recorded
        lines.append(f"{slack_moment(recorded.at)} `{recorded.reason}` {recorded.headline}")
        lines.append(f"• read at {slack_moment(recorded.read_at)}; the rule then: {escape(_rule_then(decision.rule))}")
        told = sorted(recorded.before.told) if recorded.before else []
        if decision.rule:
            metric = decision.rule.metric
            before = ", ".join(f"{key.kind.name.lower()} {set_amount(metric, key.amount)}" for key in told)
            lines.append(f"• told before: {before or 'nothing'}")
        lines.append(f"• {_replayed(decision)}")
    for each in answer.deliveries:
        tried = f"{count(each.attempts, 'attempt')}{f', last refusal {each.problem}' if each.problem else ''}"
        lines.append(f"{each.action} {each.id} to {escape(each.channel)}: {each.state}, {escape(tried)}")
    return lines


def _rule_then(rule: Rule | None) -> str:
    return ": ".join(watched(rule)).removesuffix(": -") if rule else "no longer kept"


def _replayed(decision: ReplayedDecision) -> str:
    if decision.replayed is None:
        return "its figures are no longer kept, so it can't be judged again"
    if decision.replayed.reason is decision.recorded.reason:
        return f"judged again from the recorded figures: {decision.replayed.reason}, the same"
    return f"judged again from the recorded figures: {decision.replayed.reason}, which differs"


def shared(message: Message, user_id: str) -> Message:
    """An answer that somebody shows to the channel, without the button that did it."""
    by = f"Shared by <@{user_id}>"
    kept = [block for block in message.blocks if block["type"] != "actions"]
    return of_blocks(f"{beside(by, message.text)}\n{by}", [*kept, context(by)])


def _summary(answer: SummaryAnswer) -> Message:
    title = f"*{span_words(answer.request.span)}*: {totals_words(answer.totals)}"
    notes = [*_missing(answer.missing), _age(answer.source)]
    if not answer.rows:
        return joined([title], notes, share=answer.request.words)
    by = answer.request.by or Period.DAY
    shown = answer.rows[-_TABLE_ROWS:]
    if len(shown) < len(answer.rows):
        notes = [f"The table shows the last {len(shown)} of {len(answer.rows)} {by}s; the sum is of all.", *notes]
    table = _table(f"Usage by {by}, {span_words(answer.request.span)}", by, shown)
    lines = [f"{_row_label(row, by)}: {totals_words(row.totals)}" for row in shown]
    return joined([title], notes, table, lines, share=answer.request.words)


def _overview(answer: OverviewAnswer) -> Message:
    month = answer.month.request.span
    lines = [
        f"*Today*: {totals_words(answer.today)}",
        f"*{month.start:%B} to date*: {totals_words(answer.month.totals)}",
        *_budget_lines(answer.budgets),
    ]
    chart = [_days_chart(answer.recent)] if any(row.totals.cents for row in answer.recent) else []
    return joined(lines, [*_missing(answer.month.missing), _age(answer.source)], chart, share="overview")


def _budget_lines(answer: BudgetsAnswer) -> list[str]:
    lines = [
        f"{_state(standing)} {escape(headline(standing))} · {window_words(standing.window)}"
        for standing in answer.standings
    ]
    lines += [f"⚪ {escape(rule.name)}: Cartesia gave no figures for it yet" for rule in answer.unread]
    return lines or ["No budgets are set: add one to rules.yaml."]


def _state(standing: Standing) -> str:
    return "🟢" if standing.level is None else level_marker(standing)


def _help(answer: HelpAnswer) -> Message:
    lines = [escape(answer.problem)] if answer.problem else []
    lines += [f"*/agent-usage* alone: {answer.nothing}. Or with:"]
    lines += [f"• `{period}`: {meaning}" for period, meaning in answer.periods]
    lines += ["• any of these `by day`, `by week` or `by month`"]
    lines += [f"• `{typed}`: {meaning}" for typed, meaning in answer.commands]
    return joined(lines)


def _missing(days: Sequence[date]) -> list[str]:
    if not days:
        return []
    listed = ", ".join(str(day) for day in days[:5]) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
    return [f"Cartesia gave no figures for {listed}."]


def _age(source: Source) -> str:
    seconds = max(0, int((source.now - source.read_at).total_seconds()))
    today = utc_day(source.now) == utc_day(source.read_at)
    at = utc_clock(source.read_at) if today else utc_moment(source.read_at)
    age = f"Figures read {_ago(seconds)} ({at}); days are UTC."
    if source.outage is None:
        return age
    return f"{age} Newer ones can't be read since {utc_moment(source.outage.since)}: {escape(source.outage.why)}"


def _ago(seconds: int) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s ago"
    return "just now" if seconds < 2 else f"{seconds} seconds ago"


def _days_chart(rows: Sequence[Row]) -> Block:
    points = [(f"{row.span.start:%b %d}", round(row.totals.cents / 100, 2)) for row in rows]
    return {
        "type": "data_visualization",
        "title": f"Daily cost, last {len(points)} days",
        "chart": {
            "type": "bar",
            "series": [{"name": "Cost (USD)", "data": [{"label": label, "value": value} for label, value in points]}],
            "axis_config": {
                "categories": [label for label, _ in points],
                "x_label": "Day (UTC)",
                "y_label": "Cost (USD)",
            },
        },
    }


def _table(caption: str, by: Period, rows: Sequence[Row]) -> list[Block]:
    header = [by.capitalize(), "Cost", "Minutes", "Calls"]
    body = [
        [
            {"type": "raw_text", "text": _row_label(row, by)},
            {"type": "raw_number", "value": row.totals.cents / 100, "text": dollars(row.totals.cents)},
            {"type": "raw_number", "value": float(row.totals.minutes), "text": number(row.totals.minutes)},
            {"type": "raw_number", "value": row.totals.calls, "text": number(row.totals.calls)},
        ]
        for row in rows
    ]
    cells = [[{"type": "raw_text", "text": name} for name in header], *body]
    return [{"type": "data_table", "caption": caption, "page_size": 10, "rows": cells}]


def _row_label(row: Row, by: Period) -> str:
    """In an order of words that is the order of time: Slack sorts a table by its words."""
    match by:
        case Period.DAY:
            return f"{row.span.start} {row.span.start:%a}"
        case Period.WEEK:
            return f"{row.span.start} to {row.span.last}"
        case Period.MONTH:
            return f"{row.span.start:%Y-%m} {row.span.start:%B}"
