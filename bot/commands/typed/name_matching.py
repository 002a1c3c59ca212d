"""Which alert somebody means: by its number, or by its rule's name however that was typed. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from bot.commands.typed.snooze_end import Lasting, MinutesOrAmount, NextLevel, Tomorrow, parse_until
from bot.commands.typed.user_input import Words, fold_of, folded, typed_of

LONGEST = 80  # words that a name may have: as many as letters


def meant(words: Words, names: Iterable[str]) -> list[str]:
    """The names that these words may mean: the one that stands there letter for letter, else each that differs only in
    how it is typed."""
    names = list(names)
    typed = typed_of(words)
    return [typed] if typed in names else sorted(name for name in names if folded(name) == fold_of(words))


def number_in(words: Words) -> int | None:
    """The number that "12", "#12" and "alert 12" name."""
    found = re.fullmatch(r"(?:alert )?#?([1-9][0-9]{0,17})", fold_of(words))
    return int(found[1]) if found else None


def split(words: Words, names: Iterable[str]) -> tuple[Words, Words]:
    """What names an alert, and what says until when: the whole where that is a name, else the longest name that leaves
    a time or an amount; no alert at all where the words are a time alone."""
    folds = {folded(name) for name in names}
    lengths = range(1, min(len(words), LONGEST) + 1)
    named = [length for length in lengths if fold_of(words[:length]) in folds]
    if len(words) in named:
        return words, ()
    if not named and isinstance(parse_until(words), Lasting | MinutesOrAmount | Tomorrow | NextLevel):
        return (), words
    numbered = [length for length in (1, 2) if length <= len(words) and number_in(words[:length])]
    known = sorted({*named, *numbered}, reverse=True)
    length = next((each for each in known or lengths if parse_until(words[each:])), max(known, default=len(words)))
    return words[:length], words[length:]


def near(words: Words, names: Iterable[str]) -> str | None:
    """The name that was most likely meant by words that are nobody's name."""
    by_fold = {folded(name): name for name in names}
    close = difflib.get_close_matches(fold_of(words)[:LONGEST], by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None
