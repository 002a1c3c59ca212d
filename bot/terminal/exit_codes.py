"""How a command ends: its exit code, and one plain sentence for trouble that is foreseen."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn

from bot.errors import BotError, DatabaseUnusable, SettingsError, StartRefused

DONE, PROBLEM, WRONG = 0, 1, 2  # exit codes


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Our errors end the program with their text and no traceback: 2 for settings and what we refuse to start with."""
    from bot.rules.mistakes import RulesError

    try:
        yield
    except (SettingsError, StartRefused, RulesError, DatabaseUnusable) as error:
        fail(str(error), WRONG)
    except BotError as error:
        fail(str(error), PROBLEM)


def fail(text: str, code: int) -> NoReturn:
    """End with this sentence on standard error, and this code."""
    print(text, file=sys.stderr)
    raise SystemExit(code)
