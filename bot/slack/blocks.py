"""Every message the bot sends, as blocks and as plain text that carries the whole message by itself. Pure.

Limits are Slack's (slack-platform 1.1 to 1.3): a section's text at most 3,000 characters, a chart at most 20 points,
a data_table at most 200 rows, labels at most 20 characters; text at most 4,000.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction

from bot.answers.answer import (
    Answer,
    BudgetsAnswer,
    CheckAnswer,
    HelpAnswer,
    OverviewAnswer,
    Row,
    Sorry,
    Source,
    StatusAnswer,
    SummaryAnswer,
)
from bot.answers.request import COMMANDS, PERIODS
from bot.budget.decide import Decision
from bot.budget.evaluate import Standing, unusual_from
from bot.budget.measure import Value, measure
from bot.budget.sums import Sums
from bot.model import Message, Metric, Period, Reading, Span, Totals
from bot.money import amount, amount_of, count, dollars, number, percent_of
from bot.rules.mistakes import Mistake
from bot.rules.models import HUNDRED_PERCENT, Rule, SilenceRule, ThresholdRule, UnusualRule
from bot.windows import Window, utc_day

SHARE = "share_answer"
_SECTION = 2900  # characters of one section, a little below Slack's 3,000
_SECTIONS = 40  # of the 50 blocks that one message takes
_MISTAKE = 500  # characters of one mistake of a rules file; five times as many once escaped, at the worst
_MOST_TEXT = 4000  # characters of `text`; chat.update refuses more
_TEXT = 3700  # what a message fills of them by itself, so that a notice can be added
_CHART_POINTS = 14
_TABLE_ROWS = 100  # both generations of data_table take so many

Block = Mapping[str, object]


# Alerts


def headline(standing: Standing) -> str:
    """The first line: "Daily spend: $42.00 of $50.00 (84%)"."""
    rule = standing.rule
    if standing.value is None:
        return f"{rule.name}: {'too little history' if isinstance(rule, UnusualRule) else 'too little'} to tell"
    match rule:
        case ThresholdRule():
            percent = percent_of(standing.value, rule.threshold)
            return f"{rule.name}: {amount_of(rule.metric, standing.value, rule.threshold)} ({percent:,}%)"
        case UnusualRule():
            return f"{rule.name}: {amount(rule.metric, standing.value)}, {_against_usual(standing)}"
        case SilenceRule():
            expected = f"at least {amount(rule.metric, rule.below)} expected by {rule.by:%H:%M} UTC"
            return f"{rule.name}: {amount(rule.metric, standing.value)}, {expected}"


def _against_usual(standing: Standing) -> str:
    """ "2.1× a usual Sunday ($40.00)": the multiple rounded down, as percents are."""
    weekday, expected = f"{standing.window.start:%A}", standing.usual
    if not expected or standing.value is None:
        return f"where a usual {weekday} has none"
    tenths = Fraction(standing.value) * 10 // Fraction(expected)
    return f"{number(Fraction(tenths, 10))}× a usual {weekday} ({amount(standing.rule.metric, expected)})"


def alert(decision: Decision, reading: Reading) -> Message:
    """An incident's own message: its present state."""
    standing = decision.standing
    first, facts, shown_facts = _opening(standing, reading)
    blocks: list[Block] = [_section(first), _context(shown_facts), *_threshold_chart(standing, reading)]
    text = [first, facts]
    if called := _mentions(standing):
        text.append(called)
    if runbook := escape(standing.rule.runbook or ""):
        text.append(f"What to do: {runbook}")
    if called or runbook:
        link = f"What to do: <{runbook}>" if runbook else ""
        blocks.append(_section(" · ".join(part for part in (called, link) if part)))
    return _message("\n".join(text), blocks)


def raised(decision: Decision, reading: Reading) -> Message:
    """What the incident's thread, and the channel with it, hears of a higher level."""
    first, facts, shown_facts = _opening(decision.standing, reading)
    mentions = _mentions(decision.standing)
    called = [mentions] if mentions else []
    return _message(
        "\n".join([first, facts, *called]), [_section(first), _context(shown_facts), *map(_section, called)]
    )


def _opening(standing: Standing, reading: Reading) -> tuple[str, str, str]:
    """The first line, and below it the window and the time of reading: as plain text, and as Slack shows times."""
    first = escape(f"{_marker(standing)} {headline(standing)}")
    facts = f"{window_words(standing.window)}{_lateness(standing)} · read"
    today = standing.window.period is Period.DAY and not standing.closed
    at, shown_at = (_clock, slack_time) if today else (_moment, slack_moment)
    return first, f"{facts} {at(reading.read_at)}", f"{facts} {shown_at(reading.read_at)}"


def _lateness(standing: Standing) -> str:
    period = standing.window.period
    return f" · late: the {period} was over before the figure arrived" if standing.closed else ""


def _marker(standing: Standing) -> str:
    return "🔴" if standing.level and standing.level.percent >= HUNDRED_PERCENT else "🟡"


def _mentions(standing: Standing) -> str:
    rule = standing.rule
    if not rule.mention or standing.level is None:
        return ""
    if isinstance(rule, ThresholdRule) and standing.level.percent < rule.mention_from:
        return ""
    return " ".join(_mention(name) for name in rule.mention)


def _mention(name: str) -> str:
    """As Slack writes a mention: "@here" → "<!here>", "U012" → "<@U012>", "S012" → "<!subteam^S012>"."""
    bare = name.strip("<>").removeprefix("@").removeprefix("!")
    if bare in ("here", "channel", "everyone"):
        return f"<!{bare}>"
    if bare.startswith("subteam^"):
        return f"<!{bare}>"
    if bare[:1] in "UWS" and bare.isalnum() and bare.isupper() and len(bare) > 6:
        return f"<!subteam^{bare}>" if bare.startswith("S") else f"<@{bare}>"
    return escape(name)


def _threshold_chart(standing: Standing, reading: Reading) -> list[Block]:
    """The recent windows and the rule's bound, oldest first; nothing where there is only one window to draw."""
    rule, sums = standing.rule, Sums(reading)
    name, bound = _bound(standing)
    points: list[tuple[str, float]] = []
    window = standing.window
    while len(points) < _CHART_POINTS and (totals := sums.total(window.span)) and window.start >= reading.span.start:
        value = measure(rule.metric, totals)
        if value is not None:
            points.append((_short(window), _plot(rule.metric, value)))
        window = window.previous()
    if len(points) < 2:
        return []
    return [_chart(rule, points[::-1], name, _plot(rule.metric, bound))]


def _bound(standing: Standing) -> tuple[str, Value]:
    """What the value is held against, and what that is called in a chart."""
    match standing.rule:
        case ThresholdRule() as rule:
            return "Threshold", rule.threshold
        case UnusualRule() as rule:
            return "Unusual", unusual_from(rule, standing.usual or 0)
        case SilenceRule() as rule:
            return "Expected", rule.below


def _chart(rule: Rule, points: Sequence[tuple[str, float]], bound: str, limit: float) -> Block:
    title = f"{rule.period.capitalize()}s and the {'threshold' if bound == 'Threshold' else bound.lower() + ' amount'}"
    return {
        "type": "data_visualization",
        "title": title,
        "chart": {
            "type": "line",
            "series": [
                {"name": _UNITS[rule.metric], "data": [{"label": label, "value": value} for label, value in points]},
                {"name": bound, "data": [{"label": label, "value": limit} for label, _ in points]},
            ],
            "axis_config": {
                "categories": [label for label, _ in points],
                "x_label": f"{rule.period.capitalize()} (UTC)",
                "y_label": _UNITS[rule.metric],
            },
        },
    }


_UNITS = {
    Metric.COST: "Cost (USD)",
    Metric.MINUTES: "Minutes",
    Metric.CALLS: "Calls",
    Metric.COST_PER_CALL: "USD a call",
    Metric.COST_PER_MINUTE: "USD a minute",
    Metric.MINUTES_PER_CALL: "Minutes a call",
}


# What the bot says about itself, in the operations channel


def rules_broken(filename: str, mistakes: Sequence[Mistake]) -> Message:
    """A changed rules file holds mistakes."""
    intro = escape(f"{filename} holds {count(len(mistakes), 'mistake')}. The last good rules stay in force.")
    lines = [escape(_cut(mistake.format(filename), _MISTAKE)) for mistake in mistakes]
    body = "\n".join(_fitting(lines, _SECTION - 100))
    return _message(f"{intro}\n{body}", [_section(intro), _section(f"```{_fenced(body)}```")])


def rules_mended(filename: str) -> Message:
    """The rules file is good again."""
    return _plain(f"{filename} is good again, and in force.")


def blind(since: datetime, why: str) -> Message:
    """Usage could not be read for too long."""
    text = "The bot is blind: no usage has been read since {}, so no budget is watched. {}"
    return _message(text.format(_moment(since), escape(why)), [_section(text.format(slack_moment(since), escape(why)))])


def sees_again(since: datetime, now: datetime) -> Message:
    """Usage is read again."""
    text = "The bot sees again. It was blind from {} to {}; what crossed meanwhile is told now."
    return _message(
        text.format(_moment(since), _moment(now)), [_section(text.format(slack_moment(since), slack_moment(now)))]
    )


def rerouted(message: Message, channel: str, mend: str) -> Message:
    """An alert that its own channel did not take, for the operations channel."""
    notice = f"{escape(channel)} did not take this message: {escape(mend)}."
    return _message(f"{notice}\n{_beside(notice, message.text)}", [_section(notice), *message.blocks])


def repeated(message: Message, row_id: str) -> Message:
    """A message that Slack may have already, where its history can't be read."""
    notice = f"Message {row_id}: Slack did not confirm it, so it may stand here twice."
    return _message(f"{_beside(notice, message.text)}\n{notice}", [*message.blocks, _context(notice)])


# Answers


def render(answer: Answer) -> Message:
    """An answer to a command, for the asker alone."""
    match answer:
        case SummaryAnswer():
            return _summary(answer)
        case OverviewAnswer():
            return _overview(answer)
        case BudgetsAnswer():
            return _message_of(["*Budgets*", *_budget_lines(answer)], [_age(answer.source)], share="budgets")
        case CheckAnswer():
            lines = [
                f"`{d.reason}` {escape(headline(d.standing))} · {window_words(d.standing.window)}"
                for d in answer.decisions
            ]
            nothing = "There is no budget to check, or Cartesia gave no figures to check it by."
            return _message_of(["*Checked now*", *(lines or [nothing])], [_age(answer.source)])
        case StatusAnswer():
            return _message_of(
                ["*Status*", *(f"{'✅' if well else '🔴'} {escape(line)}" for well, line in answer.lines)]
            )
        case HelpAnswer():
            return _help(answer.request.problem)
        case Sorry():
            return _plain(answer.sentence)


def shared(message: Message, user_id: str) -> Message:
    """An answer that somebody shows to the channel, without the button that did it."""
    by = f"Shared by <@{user_id}>"
    kept = [block for block in message.blocks if block["type"] != "actions"]
    return _message(f"{_beside(by, message.text)}\n{by}", [*kept, _context(by)])


def _summary(answer: SummaryAnswer) -> Message:
    title = f"*{span_words(answer.request.span)}*: {totals_words(answer.totals)}"
    notes = [*_missing(answer.missing), _age(answer.source)]
    if not answer.rows:
        return _message_of([title], notes, share=answer.request.words)
    by = answer.request.by or Period.DAY
    shown = answer.rows[-_TABLE_ROWS:]
    if len(shown) < len(answer.rows):
        notes = [f"The table shows the last {len(shown)} of {len(answer.rows)} {by}s; the sum is of all.", *notes]
    table = _table(f"Usage by {by}, {span_words(answer.request.span)}", by, shown)
    lines = [f"{_row_label(row, by)}: {totals_words(row.totals)}" for row in shown]
    return _message_of([title], notes, table, lines, share=answer.request.words)


def _overview(answer: OverviewAnswer) -> Message:
    month = answer.month.request.span
    lines = [
        f"*Today*: {totals_words(answer.today)}",
        f"*{month.start:%B} to date*: {totals_words(answer.month.totals)}",
        *_budget_lines(answer.budgets),
    ]
    chart = [_days_chart(answer.recent)] if any(row.totals.cents for row in answer.recent) else []
    return _message_of(lines, [*_missing(answer.month.missing), _age(answer.source)], chart, share="overview")


def _budget_lines(answer: BudgetsAnswer) -> list[str]:
    lines = [
        f"{_state(standing)} {escape(headline(standing))} · {window_words(standing.window)}"
        for standing in answer.standings
    ]
    lines += [f"⚪ {escape(rule.name)}: Cartesia gave no figures for it yet" for rule in answer.unread]
    return lines or ["No budgets are set: add one to rules.yaml."]


def _state(standing: Standing) -> str:
    return "🟢" if standing.level is None else _marker(standing)


def _help(problem: str) -> Message:
    lines = [escape(problem)] if problem else []
    lines += ["*/agent-usage* alone: today, the month to date, every budget, and a chart. Or with:"]
    lines += [f"• `{period}`: {meaning}" for period, meaning in PERIODS.items()]
    lines += ["• any of these `by day`, `by week` or `by month`"]
    lines += [f"• `{name}`: {meaning}" for name, (_, meaning) in COMMANDS.items()]
    return _message_of(lines)


def _missing(days: Sequence[date]) -> list[str]:
    if not days:
        return []
    listed = ", ".join(str(day) for day in days[:5]) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
    return [f"Cartesia gave no figures for {listed}."]


def _age(source: Source) -> str:
    seconds = max(0, int((source.now - source.read_at).total_seconds()))
    today = utc_day(source.now) == utc_day(source.read_at)
    at = _clock(source.read_at) if today else _moment(source.read_at)
    age = f"Figures read {_ago(seconds)} ({at}); days are UTC."
    if source.outage is None:
        return age
    return f"{age} Newer ones can't be read since {_moment(source.outage.since)}: {escape(source.outage.why)}"


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
    match by:
        case Period.DAY:
            return f"{row.span.start:%a} {row.span.start}"
        case Period.WEEK:
            return f"{row.span.start} to {row.span.last}"
        case Period.MONTH:
            return f"{row.span.start:%B %Y}"


# Words


def totals_words(totals: Totals) -> str:
    """ "$53.20 · 887 minutes · 212 calls"."""
    minutes = amount(Metric.MINUTES, totals.minutes)
    return f"{dollars(totals.cents)} · {minutes} · {amount(Metric.CALLS, totals.calls)}"


def span_words(span: Span) -> str:
    """The first and last day, as people write them."""
    if span.days == 1:
        return f"{span.start:%A} {span.start}"
    return f"{span.start} to {span.last}"


def window_words(window: Window) -> str:
    """ "Monday 2026-11-23 (UTC)", "week of 2026-11-23 (UTC)", "November 2026 (UTC)"."""
    match window.period:
        case Period.DAY:
            return f"{window.start:%A} {window.start} (UTC)"
        case Period.WEEK:
            return f"week of {window.start} (UTC)"
        case Period.MONTH:
            return f"{window.start:%B %Y} (UTC)"


def escape(text: str) -> str:
    """Slack's three control characters, so that nothing a rule is called can ping or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_time(moment: datetime) -> str:
    """A time of day that Slack shows in the reader's zone."""
    return f"<!date^{int(moment.timestamp())}^{{time}}|{_clock(moment)}>"


def slack_moment(moment: datetime) -> str:
    """A date and time that Slack shows in the reader's zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{_moment(moment)}>"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _short(window: Window) -> str:
    return f"{window.start:%b %Y}" if window.period is Period.MONTH else f"{window.start:%b %d}"


def _plot(metric: Metric, value: object) -> float:
    plain = float(value)  # type: ignore[arg-type] # int, Decimal and Fraction alike
    return round(plain / 100, 4) if metric.is_money else round(plain, 2)


def _fenced(text: str) -> str:
    return text.replace("```", "ˋˋˋ")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as fit, and then how many more there are."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*kept, _more(len(lines) - len(kept))]
        kept.append(line)
    return kept


def _more(how_many: int) -> str:
    return f"… and {how_many} more."


# Building blocks


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, "expand": True}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:1900]}]}


def _plain(sentence: str) -> Message:
    return _message(escape(sentence), [_section(escape(sentence))])


def _message_of(
    lines: Sequence[str],
    notes: Sequence[str] = (),
    extra: Sequence[Block] = (),
    extra_lines: Sequence[str] = (),
    share: str | None = None,
) -> Message:
    """Lines as sections, then what they are drawn in, notes below, and the Share button where there is a request."""
    blocks: list[Block] = [*_sections(lines), *extra]
    if notes:
        blocks.append(_context("\n".join(notes)))
    if share:
        button = {"type": "button", "action_id": SHARE, "text": {"type": "plain_text", "text": "Share"}, "value": share}
        blocks.append({"type": "actions", "elements": [button]})
    spoken = [_spoken(line) for line in lines]
    room = _TEXT - len("\n".join(notes)) - 30
    return _message("\n".join([*_fitting([*spoken, *extra_lines], room), *notes]), blocks)


def _spoken(line: str) -> str:
    """The line without the formatting that is ours; what stands in a rule's name stays."""
    return re.sub(r"`([^`]+)`", r"\1", re.sub(r"^\*([^*]+)\*", r"\1", line))


def _sections(lines: Sequence[str]) -> list[Block]:
    """The lines in as few sections as they fit in, and after 40 of them how many lines more there are."""
    parts: list[list[str]] = []
    room = 0
    for line in (_cut(line, _SECTION) for line in lines):
        if len(line) + 1 > room:
            parts.append([])
            room = _SECTION + 1
        parts[-1].append(line)
        room -= len(line) + 1
    if beyond := sum(len(part) for part in parts[_SECTIONS:]):
        parts[_SECTIONS:] = [[_more(beyond)]]
    return [_section("\n".join(part)) for part in parts]


def _message(text: str, blocks: Sequence[Block]) -> Message:
    return Message(_cut(text, _MOST_TEXT), tuple(blocks[:50]))


def _beside(notice: str, text: str) -> str:
    """The text, cut where the notice would not fit beside it."""
    return _cut(text, max(0, _MOST_TEXT - len(notice) - 1))
