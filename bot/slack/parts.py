"""What every message is made of: Slack's dates and escapes, and blocks within its limits. Pure.

Limits are Slack's: a section's text at most 3,000 characters
(https://docs.slack.dev/reference/block-kit/blocks/section-block), `text` at most 4,000
(https://docs.slack.dev/reference/methods/chat.update).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.model import Message, Metric
from bot.words.units import utc_clock, utc_moment

SHARE = "share_answer"
SECTION = 2900  # characters of one section, a little below Slack's 3,000
_SECTIONS = 40  # of the 50 blocks that one message takes
MOST_TEXT = 4000  # characters of `text`; chat.update refuses more
_TEXT = 3700  # what a message fills of them by itself, so that a notice can be added

Block = Mapping[str, object]


def escape(text: str) -> str:
    """Slack's three control characters, so that nothing a rule is called can ping or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_time(moment: datetime) -> str:
    """A time of day that Slack shows in the reader's zone."""
    return f"<!date^{int(moment.timestamp())}^{{time}}|{utc_clock(moment)}>"


def slack_moment(moment: datetime) -> str:
    """A date and time that Slack shows in the reader's zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{utc_moment(moment)}>"


def plot(metric: Metric, value: object) -> float:
    plain = float(value)  # type: ignore[arg-type] # int, Decimal and Fraction alike
    return round(plain / 100, 4) if metric.is_money else round(plain, 2)


def fenced(text: str) -> str:
    return text.replace("```", "ˋˋˋ")


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as fit, and then how many more there are."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*kept, more(len(lines) - len(kept))]
        kept.append(line)
    return kept


def more(how_many: int) -> str:
    return f"… and {how_many} more."


# Building blocks


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, "expand": True}


def context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:1900]}]}


def plain(sentence: str) -> Message:
    return of_blocks(escape(sentence), [section(escape(sentence))])


def joined(
    lines: Sequence[str],
    notes: Sequence[str] = (),
    extra: Sequence[Block] = (),
    extra_lines: Sequence[str] = (),
    share: str | None = None,
) -> Message:
    """Lines as sections, then what they are drawn in, notes below, and the Share button where there is a request."""
    blocks: list[Block] = [*sections(lines), *extra]
    if notes:
        blocks.append(context("\n".join(notes)))
    if share:
        button = {"type": "button", "action_id": SHARE, "text": {"type": "plain_text", "text": "Share"}, "value": share}
        blocks.append({"type": "actions", "elements": [button]})
    heard = [spoken(line) for line in lines]
    room = _TEXT - len("\n".join(notes)) - 30
    return of_blocks("\n".join([*fitting([*heard, *extra_lines], room), *notes]), blocks)


def spoken(line: str) -> str:
    """The line without the formatting that is ours, its moments in UTC; what stands in a rule's name stays."""
    plain = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", line)
    return re.sub(r"`([^`]+)`", r"\1", re.sub(r"^\*([^*]+)\*", r"\1", plain))


def sections(lines: Sequence[str]) -> list[Block]:
    """The lines in as few sections as they fit in, and after 40 of them how many lines more there are."""
    parts: list[list[str]] = []
    room = 0
    for line in (cut(line, SECTION) for line in lines):
        if len(line) + 1 > room:
            parts.append([])
            room = SECTION + 1
        parts[-1].append(line)
        room -= len(line) + 1
    if beyond := sum(len(part) for part in parts[_SECTIONS:]):
        parts[_SECTIONS:] = [[more(beyond)]]
    return [section("\n".join(part)) for part in parts]


def of_blocks(text: str, blocks: Sequence[Block]) -> Message:
    return Message(cut(text, MOST_TEXT), tuple(blocks[:50]))


def beside(notice: str, text: str) -> str:
    """The text, cut where the notice would not fit beside it."""
    return cut(text, max(0, MOST_TEXT - len(notice) - 1))
