"""What people type, as it was meant: Slack's escapes undone, and a fold under which two ways to type one thing agree.

Phones and keyboards curl quotes and lengthen dashes, and what is copied brings formatting marks, odd blanks and
characters that nobody sees. Both sides are folded, a name as it was typed and as rules.yaml has it, so each is found
however it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.rules.values import UNSEEN

SHOWN = 60  # characters of a misunderstood text that are shown again, and looked at for a word that is near
_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_AROUND = "*_~`\"'"  # what Slack formats with and what people quote with, at either end of a word
_BEFORE, _AFTER = "¿¡", ".?!,;:。、"  # where a sentence begins and ends
_DASHES = frozenset("−⁃")  # beside Unicode's own class of dashes
_SIGNS = {**dict.fromkeys("´ʼʹ′‛‚", "'"), **dict.fromkeys("ʺ″„‟〝〞〟「」『』", '"')}


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was typed, and folded."""

    typed: str
    folded: str


Words = tuple[Word, ...]


def unescaped(text: str) -> str:
    """A command's or an input's text as it was typed: people and channels by name, links by their label.

    Slack escapes `&`, `<` and `>` (docs.slack.dev/messaging/formatting-message-text), so a bare `<` begins a reference
    of Slack's own (docs.slack.dev/interactivity/implementing-slash-commands).
    """
    shown = _REFERENCE.sub(lambda found: _label(found[1], found[2] or ""), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def words_of(text: str) -> Words:
    """The words of a text; those of which nothing is left when they are folded are none."""
    return tuple(Word(typed, word) for typed in text.split() if (word := _folded_word(typed)))


def folded(text: str) -> str:
    """The text under which every way to type it is the same; folding it once more changes nothing."""
    return fold_of(words_of(text))


def fold_of(words: Words) -> str:
    return " ".join(word.folded for word in words)


def typed_of(words: Words) -> str:
    return " ".join(word.typed for word in words)


def shown(words: Words) -> str:
    """As they were typed, cut where they are long, for a sentence that says they were not understood."""
    text = typed_of(words)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _label(target: str, label: str) -> str:
    """What a reference shows: "#name", "@name", or a link's or a date's own words."""
    if target[0] not in "#@!" or target.startswith("!date^"):
        return label or target
    sign = "#" if target.startswith("#") else "@"
    return sign + (label or target[1:]).removeprefix(sign)


def _folded_word(word: str) -> str:
    """Without marks around it, with plain signs, in one case (Unicode 3.13, default caseless matching)."""
    plain = word if word.isascii() and word.isprintable() else _plain(_plain(word).casefold())
    return _bare(plain.casefold())


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", "".join("".join(map(_sign, composed)).split()))


def _sign(character: str) -> str:
    """The plain sign for it: wide letters and joined ones as Unicode's compatibility form has them, digits as 0 to 9.

    Raised digits and fractions stay what they are: 7² is not 72, and no amount of anything.
    """
    if character in _SIGNS:
        return _SIGNS[character]
    kind = unicodedata.category(character)
    if character in UNSEEN or kind in ("Cf", "Cc") or unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return ""
    if kind == "Pd" or character in _DASHES:
        return "-"
    if kind in ("Pi", "Pf"):
        return '"' if "DOUBLE" in unicodedata.name(character) else "'"
    if character.isnumeric():
        return str(unicodedata.decimal(character)) if character.isdecimal() else character
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if compatible == character else "".join(map(_sign, compatible))


def _bare(word: str) -> str:
    """Without what formats or quotes the word, and without the end of a sentence after it, unless it is that alone."""
    bare = word.strip(_AROUND).lstrip(_AROUND + _BEFORE)
    if not re.search(r"(?<!\.)\.\.$", bare):  # two dots lead from one day to another
        bare = bare.rstrip(_AROUND + _AFTER)
    return bare or word.strip(_AROUND)
