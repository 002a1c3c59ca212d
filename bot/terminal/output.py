"""What the commands print: the same answers as in Slack, as tables, JSON or CSV."""

from __future__ import annotations

import contextlib
import csv
import html
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import httpx
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from bot.app import open_store, reading_parts, rules_parts
from bot.budget.backtest import INTERVAL, READ_BEFORE, backtest
from bot.budget.decide import Decision
from bot.budget.evaluate import Inputs
from bot.budget.sums import Sums
from bot.commands.all import NAMED
from bot.commands.answer import Row, Source, SummaryAnswer, summarize
from bot.commands.incidents import IncidentActions, NotUnderstoodError
from bot.commands.parse import parse_days
from bot.commands.request import Summary
from bot.commands.typed.name_matching import meant, near
from bot.commands.typed.period import PERIODS
from bot.commands.typed.user_input import folded, words_of
from bot.errors import DatabaseUnusable, StoreError
from bot.events import Observers
from bot.jobs.check import Checker, checker_of, judge
from bot.model import Reading, Span, Totals
from bot.money import count, dollars, number
from bot.rules.access import groups_among
from bot.rules.mistakes import RulesError
from bot.rules.models import Rule, Rules
from bot.rules.source import RulesFile
from bot.settings import ReadingSettings, Settings
from bot.slack.blocks import why_lines
from bot.slack.parts import spoken
from bot.store.database import Database, open_database
from bot.store.incidents import IncidentStore
from bot.store.ledger import Ledger
from bot.store.outbox import Outbox
from bot.system.network import http_client
from bot.windows import checked_span, utc_day
from bot.words.alerts import headline, watched
from bot.words.units import totals_words, window_words

Now = Callable[[], datetime]
Form = Literal["table", "json", "csv"]
PATIENCE = 5.0  # seconds that a command waits for the database


async def print_usage(settings: ReadingSettings, words: str, form: Form, now: Now) -> int:
    """The usage of a period. Raises CartesiaError."""
    request = parse_days(words, utc_day(now()))
    if not isinstance(request, Summary):
        command = folded(words).partition(" ")[0]
        problem = f"{command} is asked in Slack; here, write a period." if command in NAMED else request.problem
        print(f"{problem.replace('`', '')} Periods are: {', '.join(PERIODS)}.", file=sys.stderr)
        return 2
    async with http_client() as http:
        reading = await reading_parts(settings, http, now).read(request.span)
    answer = summarize(request, reading, Source(reading.read_at, now()))
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[form](answer)
    return 0


def _console() -> Console:
    """Wide where nobody watches, so that no line is broken in a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def _print_table(answer: SummaryAnswer) -> None:
    span = answer.request.span
    console = _console()
    console.print(f"{span.start} to {span.last} (UTC days): {totals_words(answer.totals)}")
    if answer.missing:
        console.print(f"Cartesia gave no figures for {', '.join(map(str, answer.missing))}.")
    if answer.rows:
        table = Table(
            "First day", "Last day", *(Column(name, justify="right") for name in ("Cost", "Minutes", "Calls"))
        )
        for row in answer.rows:
            totals = row.totals
            figures = (dollars(totals.cents), number(totals.minutes), number(totals.calls))
            table.add_row(str(row.span.start), str(row.span.last), *figures)
        console.print(table)


def _figures(span: Span, totals: Totals) -> dict[str, object]:
    return {
        "first_day": str(span.start),
        "last_day": str(span.last),
        "cents": totals.cents,
        "minutes": float(totals.minutes),
        "calls": totals.calls,
    }


def _print_json(answer: SummaryAnswer) -> None:
    rows = [_figures(row.span, row.totals) for row in answer.rows]
    print(
        json.dumps(
            {
                **_figures(answer.request.span, answer.totals),
                "read_at": answer.source.read_at.isoformat(timespec="seconds"),
                "missing_days": [str(day) for day in answer.missing],
                "rows": rows,
            },
            indent=2,
        )
    )


def _print_csv(answer: SummaryAnswer) -> None:
    parts = answer.rows or (Row(answer.request.span, answer.totals),)
    rows = [_figures(row.span, row.totals) for row in parts]
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


async def check_dry(settings: ReadingSettings, now: Now) -> int:
    """Decide by the present rules, and show it; nothing is recorded or sent. Raises BotError."""
    rules = _rules_of(settings)
    database = open_database(settings.database_url.get_secret_value())
    known = database.exists()
    async with http_client() as http:
        reading = await reading_parts(settings, http, now).read(checked_span(now()))
        try:
            decisions = await _foreseen(settings, database, http, reading, now) if known else _as_new(rules, reading)
        except DatabaseUnusable:
            raise
        except StoreError as error:
            print(f"{error} What was said before is not known, so every crossing shows as new.", file=sys.stderr)
            decisions = _as_new(rules, reading)
        finally:
            await database.close()
    _print_decisions(decisions)
    return 0


async def _foreseen(
    settings: ReadingSettings, database: Database, http: httpx.AsyncClient, reading: Reading, now: Now
) -> list[Decision]:
    """By what was said before. Raises StoreError."""
    checker = _checker(settings, database, http, now)
    await checker.rules.preview()
    return await checker.foresee(reading)


def _as_new(rules: Rules, reading: Reading) -> list[Decision]:
    since = {rule.name: reading.read_at for rule in rules.rules}
    return judge(rules, since, Inputs(Sums(reading), expected_in=rules.expected_in), {}, {}, reading.read_at)


def _checker(settings: ReadingSettings, database: Database, http: httpx.AsyncClient, now: Now) -> Checker:
    rules = rules_parts(settings, Ledger(database), now)
    return checker_of(reading_parts(settings, http, now), rules, database, settings.blind_for, now, Observers())


async def print_backtest(settings: Settings, name: str | None, days: int, now: Now) -> int:
    """What the present rules would have said over the readings in the database, which stays as it is; 1 where it has
    none. Raises BotError."""
    rules = _rules_of(settings)
    if name is not None:
        chosen = _rule_called(name, rules)
        if chosen is None:
            return 2
        rules = replace(rules, rules=(chosen,))
    until = now()
    since = until - timedelta(days=days)
    database = open_database(settings.database_url.get_secret_value())
    try:
        rows = await Ledger(database).rows(utc_day(since - READ_BEFORE)) if database.exists() else {}
    finally:
        await database.close()
    if not rows:
        print("No usage has been read yet: `serve` and `check` keep what they read.", file=sys.stderr)
        return 1
    found = backtest(rules, rows, since, until, max(INTERVAL, settings.check_interval))
    table = Table("When (UTC)", "Reason", "Window", "What")
    for each in found:
        standing = each.decision.standing
        cells = (f"{each.at:%Y-%m-%d %H:%M}", each.decision.reason.value, window_words(standing.window))
        table.add_row(*(Text(cell) for cell in (*cells, headline(standing))))
    _console().print(table)
    news = sum(each.decision.reason.is_news for each in found)
    more = count(len(found) - news, "more line")
    print(f"{count(news, 'message')} in the channel and {more} in threads, in {count(days, 'day')}.")
    return 0


def _rule_called(typed: str, rules: Rules) -> Rule | None:
    """The rule of this name, however it was typed; where there is none or several, that is printed."""
    words, names = words_of(typed), [rule.name for rule in rules.rules]
    called, close = meant(words, names), near(words, names)
    if len(called) == 1:
        return rules.named(called[0])
    if called:
        problem = f"Several rules are called so: write {' or '.join(map(repr, called))} letter for letter."
    else:
        problem = f"There is no rule {typed!r}{f': did you mean {close!r}?' if close else '.'}"
    print(problem, file=sys.stderr)
    return None


async def explain(settings: Settings, words: str, now: Now) -> int:
    """The account of one alert, by its number or its rule's name; 1 where there is none. Raises BotError."""
    database = await open_store(settings, PATIENCE)
    try:
        ledger = Ledger(database)
        rules = rules_parts(settings, ledger, now)
        with contextlib.suppress(RulesError):  # only tells which rules have no alert yet; `rules check` lists mistakes
            await rules.preview()
        answer = await IncidentActions(IncidentStore(database), ledger, rules, now, Observers()).why(words)
    except NotUnderstoodError as error:
        print(str(error).replace("`", ""), file=sys.stderr)
        return 1
    finally:
        await database.close()
    print(f"Alert {answer.alert}: {answer.rule}, {window_words(answer.window)}")
    for line in why_lines(answer):
        print(html.unescape(spoken(line)))
    return 0


async def check_now(settings: ReadingSettings, now: Now) -> int:
    """One check, recorded; the running bot sends what it finds. Raises BotError."""
    database = await open_store(settings, PATIENCE)
    try:
        async with http_client() as http:
            checker = _checker(settings, database, http, now)
            await checker.rules.start()
            await checker.account.start()
            decisions = await checker.check()
        _print_decisions(decisions)
        if waiting := await Outbox(database, "").pending():
            print(f"{count(waiting, 'message')} to deliver: the running bot sends what is recorded.")
    finally:
        await database.close()
    return 0


def check_rules(settings: Settings) -> int:
    """Print every mistake; 1 where there is one."""
    try:
        rules = _rules_of(settings)
    except RulesError as error:
        for mistake in error.mistakes:
            print(mistake.format(str(settings.rules_file)))
        return 1
    print(f"{settings.rules_file}: {count(len(rules.rules), 'rule')}, no mistakes.")
    for note in notes(rules):
        print(note)
    return 0


def show_rules(settings: Settings) -> int:
    """Print the rules as understood. Raises RulesError."""
    rules = _rules_of(settings)
    table = Table("Rule", "Watches", "Levels", "Channel")
    for rule in rules.rules:
        table.add_row(Text(rule.name), *(Text(words) for words in (*watched(rule), rules.channel_of(rule))))
    _console().print(table)
    for note in notes(rules):
        print(note)
    return 0


def notes(rules: Rules) -> list[str]:
    """What the file asks for that this version reads but does not do yet."""
    later = [f"{report.name}: reports are read but not sent yet." for report in rules.reports]
    if groups_among((*rules.access.viewers, *rules.access.editors)):
        later.append("access: a user group needs the scope usergroups:read; without it nobody is let in by the group.")
    return later


def _rules_of(settings: Settings) -> Rules:
    file = RulesFile(settings.rules_file)
    return file.read().rules(file.place)


def _print_decisions(decisions: Sequence[Decision]) -> None:
    table = Table("Rule", "Window", "Value", "Level", "Reason")
    for decision in decisions:
        standing = decision.standing
        level = f"{standing.level.percent.normalize():f}%" if standing.level else "-"
        value = headline(standing).removeprefix(f"{standing.rule.name}: ")
        table.add_row(
            *(
                Text(cell)
                for cell in (standing.rule.name, window_words(standing.window), value, level, decision.reason.value)
            )
        )
    _console().print(table)
