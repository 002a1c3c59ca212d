"""What was typed after `/agent-usage` or `agent-usage usage`, as a request. Any text gives one, never an error."""

from __future__ import annotations

import difflib
from datetime import date

from bot.commands.all import NAMED
from bot.commands.overview import OVERVIEW
from bot.commands.period import PERIOD
from bot.commands.request import Help, Request, Summary
from bot.commands.typed.period import PERIODS, NotAPeriodError
from bot.commands.typed.user_input import SHOWN, Words, fold_of, shown, words_of


def parse_request(text: str, today: date) -> Request:
    """The request in this text; `today` is the UTC day. What can't be understood becomes Help with the nearest word."""
    words = words_of(text)
    if not words:
        return OVERVIEW.parse(OVERVIEW, words, today)
    if command := NAMED.get(words[0].folded):
        request: Request = command.parse(command, words[1:], today)
        return request
    return parse_days(text, today)


def parse_days(text: str, today: date) -> Summary | Help:
    """The same where a period alone is understood."""
    try:
        return PERIOD.parse(PERIOD, words_of(text), today)
    except NotAPeriodError as error:
        return Help(_unknown(error.words))


def _unknown(words: Words) -> str:
    """By the nearest word to the whole text, else to its first word, where a command is misspelt before a name."""
    named = [*NAMED, *(period for period in PERIODS if not any(map(str.isdigit, period)))]
    with_more = [name for name, command in NAMED.items() if command.takes_words]
    near = difflib.get_close_matches(fold_of(words)[:SHOWN], named, n=1, cutoff=0.6)
    near = near or difflib.get_close_matches(fold_of(words[:1])[:SHOWN], with_more, n=1, cutoff=0.6)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"I don't know “{shown(words)}”.{hint}"
