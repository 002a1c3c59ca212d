"""YAML text to a tree of values that know their places. Pure, and safe for any text.

The parser's events are followed one by one, so depth and size are bounded before anything is built, nothing but text
is ever made of a scalar, and a YAML alias costs a reference, never a copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bot.rules.mistakes import MAX_MISTAKES, Mistake, RulesError
from bot.rules.values import MOST_ENTRIES, Bare, ScalarKind, quote, too_many

if TYPE_CHECKING:
    from ruamel.yaml import YAML

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 50_000
MAX_ENTRIES: Final = 2_000
"""Of any list, before the rest of the file is looked at; `MOST_ENTRIES` has what each may have."""
MAX_KEYS: Final = 200
"""Different keys in the whole file, which is several times as many as there are."""

Position = tuple[int, int]
"""Line and column, both from 1."""

_FORBIDDEN: Final = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_BARE: Final = {
    ScalarKind.NOTHING: re.compile("~|null|Null|NULL|"),
    ScalarKind.SWITCH: re.compile("true|True|TRUE|false|False|FALSE"),
    ScalarKind.NUMBER: re.compile(
        r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0o[0-7_]+|[-+]?0b[01_]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    ),
    ScalarKind.DATE: re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+[ \t]*(?:Z|[-+][0-9:]+)?)?"),
}

_NOT_YAML: Final = "This is not YAML; check the quotes, colons and indentation here and on the line before."
_EXPLANATIONS: Final = {
    "mapping values are not allowed": (
        "This colon cannot stand here; put quotes around text that holds one, or mend the indentation of the line."
    ),
    "expected <block end>": "This line is not indented like its neighbours; line it up with them.",
    "could not find expected ':'": "A colon is missing before this place; write a key and a value as in `name: value`.",
    "expected ',' or ']'": "The list that opens with [ on line {line} is not closed, or lacks a comma here; mend it.",
    "expected ',' or '}'": "The keys that open with {{ on line {line} are not closed, or lack a comma here; mend them.",
    "expected the node content": "A value is needed here; close the bracket or brace before it, or write the value.",
    "expected escape sequence": "A backslash in double quotes means something special; write \\\\ for a plain one.",
    "unknown escape character": "A backslash in double quotes means something special; write \\\\ for a plain one.",
    "expected alphabetic or numeric character": "Put quotes around text that starts with & or *.",
    "unexpected document separator": "The quote that opens on line {line} is not closed before this line; close it.",
    "found unexpected ':'": "This colon cannot stand here; put quotes around text that holds one.",
}


_EMPTY: Final = Bare("", ScalarKind.NOTHING)


@dataclass(slots=True)
class Node:
    """One value with its place; `keys` has the place of each key of a mapping."""

    position: Position
    content: str | Bare | list[Node] | dict[str, Node]
    keys: dict[str, Position] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def plain(self) -> object:
        """The value without places: text, Bare, lists and dicts."""
        match self.content:
            case list():
                return [item.plain() for item in self.content]
            case dict():
                return {key: item.plain() for key, item in self.content.items()}
        return self.content


def read_tree(text: str) -> tuple[Node, list[Mistake]]:
    """The tree of the only document in `text`, and the mistakes that left the rest readable.

    Raises RulesError where the text cannot be read at all.
    """
    text = text.removeprefix("\ufeff")
    _refuse_unreadable(text)
    growing = _Tree()
    yaml = _reader()
    try:
        for event in yaml.parse(text):
            growing.take(event)
    except RulesError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the YAML reader stumbled over is to be mended in the file
        growing.mistakes.append(_explained(error, text, growing.position))
        raise RulesError(tuple(sorted(growing.mistakes))) from None
    if growing.root is None:
        raise RulesError(
            (Mistake(1, 1, "The file is empty; write `channel:` and `rules:`, or `rules: []` for no rules."),)
        )
    return growing.root, growing.mistakes


@dataclass(slots=True)
class _Tree:
    """The tree while the events come in: `open` holds the lists and mappings that have not ended yet."""

    root: Node | None = None
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)  # every key
    mistakes: list[Mistake] = field(default_factory=list)
    documents: int = 0
    position: Position = (1, 1)

    def take(self, event: Any) -> None:
        """Let one event of the YAML parser grow the tree."""
        if len(self.mistakes) > MAX_MISTAKES:
            raise RulesError(tuple(self.mistakes))
        position = self.position = (event.start_mark.line + 1, event.start_mark.column + 1)
        match type(event).__name__:
            case "DocumentStartEvent":
                self._start_document(position)
            case "ScalarEvent":
                self._refuse_tag(event, position)
                self._place(Node(position, _scalar(event, position)), event.anchor)
            case "AliasEvent":
                self._place(self._anchored(event.anchor, position), None, position)
            case "SequenceStartEvent" | "MappingStartEvent":
                self._refuse_tag(event, position)
                if len(self.open) >= MAX_DEPTH:
                    _stop(position, f"Lists and keys are nested more than {MAX_DEPTH} deep here; rules need far less.")
                empty: list[Node] | dict[str, Node] = [] if type(event).__name__ == "SequenceStartEvent" else {}
                self.open.append(_Open(Node(position, empty), event.anchor))
            case "SequenceEndEvent" | "MappingEndEvent":
                done = self.open.pop()
                self._place(done.node, done.anchor)

    def _start_document(self, position: Position) -> None:
        self.documents += 1
        if self.documents > 1:
            _stop(position, "A second document starts here; keep one, and remove this `---` line.")

    def _refuse_tag(self, event: Any, position: Position) -> None:
        if event.tag:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self.mistakes.append(Mistake(*position, f"The tag {quote(tag)} is not allowed; remove it."))

    def _anchored(self, anchor: str, position: Position) -> Node:
        if anchor not in self.anchors:
            _stop(
                position,
                f"Nothing above is marked {quote('&' + anchor)}; write the value out instead of `*{anchor[:60]}`.",
            )
        return self.anchors[anchor]

    def _place(self, node: Node, anchor: str | None, key_position: Position | None = None) -> None:
        """Put a finished value where it belongs: into the innermost list or mapping, or at the root."""
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        above = self.open[-1]
        if isinstance(above.node.content, dict) and above.key is None:
            above.key = self._key(node, key_position or node.position)
            return
        if above.key is not None and node.size == 1 and node.content == _EMPTY:
            node.position = above.key.position  # the parser's own place is where the next word stands
        above.add(node)
        if isinstance(above.node.content, list) and len(above.node.content) > MAX_ENTRIES:
            self._stop_at_list(above.node.position)
        if above.node.size > MAX_VALUES or above.node.height > MAX_DEPTH:
            _stop(above.node.position, "Here is far more than any rules need, aliases written out; make it shorter.")

    def _stop_at_list(self, position: Position) -> NoReturn:
        key = self.open[-2].key if len(self.open) > 1 else None
        most = MOST_ENTRIES.get(key.text if key else "", MAX_ENTRIES)
        _stop(position, too_many(f"more than {MAX_ENTRIES:,}", most))

    def _key(self, node: Node, position: Position) -> _Key:
        above = self.open[-1].node
        if isinstance(node.content, list | dict):
            self.mistakes.append(
                Mistake(*position, "A key must be one word such as `name`, not a list or keys; rewrite it.")
            )
            return _Key("", position, kept=False)
        text = node.content if isinstance(node.content, str) else node.content.text
        self.words.add(text)
        if len(self.words) > MAX_KEYS:
            _stop(
                position,
                f"The file has more than {MAX_KEYS} different keys up to here, and rules know fewer; remove some.",
            )
        if text == "<<":
            above.keys["<<"] = position
            self.mistakes.append(Mistake(*position, "Merging with `<<` is not supported; write the keys out here."))
            return _Key(text, position, kept=False)
        if text in above.keys:
            first = above.keys[text][0]
            self.mistakes.append(
                Mistake(*position, f"{quote(text)} is written twice, first on line {first}; keep one.")
            )
            return _Key(text, position, kept=False)
        return _Key(text, position, kept=True)


@dataclass(slots=True)
class _Key:
    text: str
    position: Position
    kept: bool


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended yet, and the key whose value comes next."""

    node: Node
    anchor: str | None
    key: _Key | None = None

    def add(self, child: Node) -> None:
        if isinstance(self.node.content, list):
            self.node.content.append(child)
        elif isinstance(self.node.content, dict) and self.key is not None and self.key.kept:
            self.node.content[self.key.text] = child
            self.node.keys[self.key.text] = self.key.position
        self.key = None
        self.node.size += child.size
        self.node.height = max(self.node.height, child.height + 1)


def _stop(position: Position, sentence: str) -> NoReturn:
    """Give up reading: what follows could not be understood, or not in bounds."""
    raise RulesError((Mistake(*position, sentence),))


def _reader() -> YAML:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True)


def _refuse_unreadable(text: str) -> None:
    """Refuse text that is too long, or holds characters that no YAML file may hold."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        _stop((1, 1), f"The file is larger than {MAX_BYTES // 1024} KiB; make it smaller.")
    if found := re.search("^%", text, re.MULTILINE):
        _stop(_position_at(text, found.start()), "A line that starts with % is not needed; remove it.")
    if found := re.search(_FORBIDDEN, text):
        _stop(_position_at(text, found.start()), f"The character U+{ord(found[0]):04X} is not allowed here; remove it.")


def _position_at(text: str, index: int) -> Position:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _scalar(event: Any, position: Position) -> str | Bare:
    """Text, or what YAML 1.2 takes for something else."""
    text = str(event.value)
    if found := re.search("[\ud800-\udfff]", text):
        _stop(position, f"The text here holds half a character, U+{ord(found[0]):04X}; write the character itself.")
    if not event.implicit[0]:
        return text
    kind = _bare_kind(text)
    return Bare(text, kind) if kind else text


def _bare_kind(text: str) -> ScalarKind | None:
    """What YAML 1.2 takes a scalar without quotes for; None for text."""
    return next((kind for kind, written in _BARE.items() if written.fullmatch(text)), None)


def _explained(error: Exception, text: str, last_position: Position) -> Mistake:
    """What stopped the YAML parser, in words that help the one who wrote the file."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Mistake(*last_position, _NOT_YAML)
    position = (mark.line + 1, mark.column + 1)
    problem = str(getattr(error, "problem", None) or "")
    at = text[mark.index : mark.index + 1]
    if "cannot start any token" in problem:
        if at == "\t":
            return Mistake(*position, "A tab stands here; use spaces to indent and to separate.")
        return Mistake(*position, f'Text that starts with {at} needs quotes, as in "{at}here".')
    opening = getattr(error, "context_mark", None) or mark
    if "quoted scalar" in str(getattr(error, "context", None)) and "end of stream" in problem:
        return Mistake(opening.line + 1, opening.column + 1, "The quote that opens here is never closed; close it.")
    for part, sentence in _EXPLANATIONS.items():
        if part in problem:
            return Mistake(*position, sentence.format(line=opening.line + 1))
    return Mistake(*position, _NOT_YAML)
