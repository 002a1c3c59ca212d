"""Which blocks Slack accepts on which surface, and within which limits (block reference, November 2026)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.sandbox.slack.elements import (
    ELEMENTS,
    IMAGE_ELEMENT,
    IMAGE_SOURCE,
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    element,
    plain_text,
    text,
)
from bot.sandbox.slack.shapes import (
    Check,
    Mistake,
    any_field_of,
    anything,
    array,
    boolean,
    by_type,
    integer,
    not_both,
    number,
    one_of,
    positive,
    shape,
    string,
    unique,
)


class Surface(StrEnum):
    """Where blocks are shown."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


MOST_BLOCKS = {Surface.MESSAGE: 50, Surface.MODAL: 100, Surface.HOME: 100}
EVERYWHERE = frozenset(Surface)
MESSAGE_ONLY = frozenset({Surface.MESSAGE})
MODAL_ONLY = frozenset({Surface.MODAL})
NOT_IN_MODALS = frozenset({Surface.MESSAGE, Surface.HOME})
MARKDOWN_CHARACTERS = 12_000
TABLE_CHARACTERS = 10_000
DATA_TABLE_CHARACTERS = 20_000
CHARTS_PER_MESSAGE = 2
VIEW_BYTES = 250 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of block: where it may stand, and the check of one such block."""

    surfaces: frozenset[Surface]
    check: Check


RICH_INLINE: dict[str, Check] = {
    "text": shape({"text": string()}, {"style": anything}),
    "link": shape({"url": string(3000)}, {"text": string(), "style": anything, "unsafe": boolean}),
    "emoji": shape({"name": string()}, {"unicode": string(), "style": anything, "skin_tone": integer(1, 6)}),
    "user": shape({"user_id": string()}, {"style": anything}),
    "usergroup": shape({"usergroup_id": string()}, {"style": anything}),
    "channel": shape({"channel_id": string()}, {"style": anything}),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, {"style": anything}),
    "date": shape({"timestamp": integer(0), "format": string()}, {"fallback": string(), "url": string(3000)}),
    "color": shape({"value": string(7)}, {"style": anything}),
}
INLINE = array(by_type(RICH_INLINE), low=0)
RICH_SECTION = shape({"elements": INLINE})
RICH_PARTS: dict[str, Check] = {
    "rich_text_section": RICH_SECTION,
    "rich_text_preformatted": shape({"elements": INLINE}, {"border": integer(0, 1), "language": string()}),
    "rich_text_quote": shape({"elements": INLINE}, {"border": integer(0, 1)}),
    "rich_text_list": shape(
        {"style": one_of("bullet", "ordered"), "elements": array(by_type({"rich_text_section": RICH_SECTION}))},
        {"indent": integer(0, 8), "offset": integer(0), "border": integer(0, 1)},
    ),
}
BLOCK_ID: dict[str, Check] = {"block_id": string(255)}
RICH_TEXT = shape({"elements": array(by_type(RICH_PARTS))}, BLOCK_ID)

RAW_TEXT = shape({"text": string()})
RAW_NUMBER = shape({"value": number, "text": string()})
HEADER_CELLS: dict[str, Check] = {"raw_text": RAW_TEXT, "raw_number": RAW_NUMBER}
TABLE_CELLS: dict[str, Check] = {**HEADER_CELLS, "rich_text": RICH_TEXT}
ACTION_CELL = shape({"element": element(frozenset({"button"}))}, {"fallback": by_type(HEADER_CELLS)})
DATA_CELLS: dict[str, Check] = {**TABLE_CELLS, "action_cell": ACTION_CELL}


def _cell_characters(cell: Any) -> int:
    """The characters of every `text` within the cell."""
    if isinstance(cell, dict):
        own = cell.get("text")
        inner = sum(_cell_characters(each) for name, each in cell.items() if name != "fallback")
        return inner + (len(own) if isinstance(own, str) else 0)
    return sum(_cell_characters(each) for each in cell) if isinstance(cell, list) else 0


def _data_rows(rows: Any, at: str) -> Iterator[Mistake]:
    """Rows of one length, the first without rich text or buttons."""
    wrong = list(array(array(by_type(DATA_CELLS), 1, 20), 2, 201)(rows, at))
    yield from wrong
    if wrong:
        return
    for column, cell in enumerate(rows[0]):
        if cell["type"] not in HEADER_CELLS:
            yield Mistake(f"{at}/0/{column}/type", f"unsupported type in a header cell: {cell['type']}")
    for place, row in enumerate(rows):
        if len(row) != len(rows[0]):
            yield Mistake(f"{at}/{place}", f"all rows must have the same number of cells: {len(rows[0])}")


def _data_table(block: Any, at: str) -> Iterator[Mistake]:
    if _cell_characters(block["rows"]) > DATA_TABLE_CHARACTERS:
        yield Mistake(f"{at}/rows", f"must have no more than {DATA_TABLE_CHARACTERS} characters in all cells")
    if block.get("row_header_column_index", 0) >= len(block["rows"][0]):
        yield Mistake(f"{at}/row_header_column_index", "must be the index of a column")


POINT = shape({"label": string(20), "value": number})
SEGMENT = shape({"label": string(20), "value": positive})
SERIES = shape({"name": string(20), "data": array(POINT, 1, 20)})
AXES = shape({"categories": array(string(20), 1, 20)}, {"x_label": string(50), "y_label": string(50)})


def _one_point_per_category(chart: Any, at: str) -> Iterator[Mistake]:
    """Every series has exactly one point for every category; names and categories do not repeat."""
    categories = chart["axis_config"]["categories"]
    yield from unique(categories, f"{at}/axis_config/categories", "categories")
    yield from unique([series["name"] for series in chart["series"]], f"{at}/series", "series names")
    for place, series in enumerate(chart["series"]):
        labels = [point["label"] for point in series["data"]]
        if sorted(labels) != sorted(categories):
            yield Mistake(f"{at}/series/{place}/data", "must have exactly one point for each category")


AXIS_CHART = shape({"series": array(SERIES, 1, 12), "axis_config": AXES}, {}, _one_point_per_category)
CHARTS: dict[str, Check] = {
    "line": AXIS_CHART,
    "bar": AXIS_CHART,
    "area": AXIS_CHART,
    "pie": shape({"segments": array(SEGMENT, 1, 12)}),
}

ICON = by_type({"icon": shape({"name": string()})})
CARD = shape(
    {},
    {
        **BLOCK_ID,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "subtext": text(200),
        "hero_image": IMAGE_ELEMENT,
        "icon": IMAGE_ELEMENT,
        "slack_icon": ICON,
        "actions": array(element(frozenset({"button"})), 1, 3),
    },
    any_field_of("hero_image", "title", "actions", "body"),
    not_both("icon", "slack_icon"),
)
TASK_STATUS = one_of("pending", "in_progress", "complete", "error")
TASK_CARD = shape(
    {"task_id": string(255), "title": string()},
    {**BLOCK_ID, "status": TASK_STATUS, "details": anything, "output": anything, "sources": anything},
)


def _input_rules(block: Any, at: str) -> Iterator[Mistake]:
    if "action_id" not in block["element"]:
        yield Mistake(f"{at}/element", "missing required field: action_id")


def _task_started(block: Any, at: str) -> Iterator[Mistake]:
    if block.get("status") == "pending":
        yield Mistake(f"{at}/status", "a task_card of its own cannot be pending")


def _collapsing(block: Any, at: str) -> Iterator[Mistake]:
    if block.get("has_header_divider") and block.get("is_collapsible"):
        yield Mistake(at, "cannot have both has_header_divider and is_collapsible")


IMAGE_BLOCK = shape(
    {"alt_text": string(2000)},
    {**BLOCK_ID, **IMAGE_SOURCE, "title": plain_text(2000)},
    any_field_of("image_url", "slack_file"),
    not_both("image_url", "slack_file"),
)
PLAIN_KINDS: dict[str, Kind] = {
    "section": Kind(
        EVERYWHERE,
        shape(
            {},
            {
                **BLOCK_ID,
                "text": text(3000),
                "fields": array(text(2000), 1, 10),
                "accessory": element(IN_SECTION),
                "expand": boolean,
            },
            any_field_of("text", "fields"),
        ),
    ),
    "header": Kind(EVERYWHERE, shape({"text": plain_text(150)}, {**BLOCK_ID, "level": integer(1, 4)})),
    "context": Kind(
        EVERYWHERE,
        shape(
            {
                "elements": array(
                    by_type({"mrkdwn": text(3000), "plain_text": text(3000), "image": IMAGE_ELEMENT}), 1, 10
                )
            },
            BLOCK_ID,
        ),
    ),
    "actions": Kind(EVERYWHERE, shape({"elements": array(element(IN_ACTIONS), 1, 25)}, BLOCK_ID)),
    "divider": Kind(EVERYWHERE, shape({}, BLOCK_ID)),
    "image": Kind(EVERYWHERE, IMAGE_BLOCK),
    "input": Kind(
        EVERYWHERE,
        shape(
            {"label": plain_text(2000), "element": element(IN_INPUT)},
            {**BLOCK_ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
            _input_rules,
        ),
    ),
    "rich_text": Kind(EVERYWHERE, RICH_TEXT),
    "markdown": Kind(MESSAGE_ONLY, shape({"text": string(MARKDOWN_CHARACTERS)}, BLOCK_ID)),
    "table": Kind(
        NOT_IN_MODALS,
        shape(
            {"rows": array(array(by_type(TABLE_CELLS), 1, 20), 1, 100)},
            {**BLOCK_ID, "column_settings": array(anything, 0, 20)},
        ),
    ),
    "data_table": Kind(
        NOT_IN_MODALS,
        shape(
            {"rows": _data_rows, "caption": string()},
            {**BLOCK_ID, "page_size": integer(1, 100), "row_header_column_index": integer(0)},
            _data_table,
        ),
    ),
    "data_visualization": Kind(NOT_IN_MODALS, shape({"title": string(50), "chart": by_type(CHARTS)}, BLOCK_ID)),
    "alert": Kind(
        MODAL_ONLY,
        shape({"text": text(200)}, {**BLOCK_ID, "level": one_of("default", "info", "warning", "error", "success")}),
    ),
    "card": Kind(EVERYWHERE, CARD),
    "carousel": Kind(NOT_IN_MODALS, shape({"elements": array(by_type({"card": CARD}), 1, 10)}, BLOCK_ID)),
    "context_actions": Kind(
        MESSAGE_ONLY,
        shape({"elements": array(element(frozenset({"feedback_buttons", "icon_button"})), 1, 5)}, BLOCK_ID),
    ),
    "plan": Kind(MESSAGE_ONLY, shape({"title": string()}, {**BLOCK_ID, "tasks": array(TASK_CARD, 0, 50)})),
    "task_card": Kind(MESSAGE_ONLY, lambda block, at: _both(TASK_CARD, _task_started, block, at)),
    "video": Kind(
        EVERYWHERE,
        shape(
            {"title": plain_text(200), "video_url": string(), "thumbnail_url": string(), "alt_text": string()},
            {
                **BLOCK_ID,
                "title_url": string(),
                "description": plain_text(200),
                "author_name": string(50),
                "provider_name": string(),
                "provider_icon_url": string(),
            },
        ),
    ),
}
IN_CONTAINER = frozenset(
    {"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "table", "video"}
)
CONTAINER = shape(
    {"child_blocks": array(by_type({name: PLAIN_KINDS[name].check for name in IN_CONTAINER}), 1, 10)},
    {
        **BLOCK_ID,
        "title": text(150),
        "rich_text_title": RICH_TEXT,
        "subtitle": text(150),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
        "width": string(),
        "icon": anything,
    },
    any_field_of("title", "rich_text_title"),
    _collapsing,
)
KINDS: dict[str, Kind] = {**PLAIN_KINDS, "container": Kind(NOT_IN_MODALS, CONTAINER)}


def mistakes(blocks: object, surface: Surface | str) -> list[Mistake]:
    """Everything Slack would refuse in these blocks on this surface; empty when it would accept them."""
    surface = Surface(surface)
    if not isinstance(blocks, list):
        return [Mistake("", "must be an array")]
    found = list(array(anything, 0, MOST_BLOCKS[surface])(blocks, ""))
    for place, block in enumerate(blocks):
        found.extend(_of_block(block, f"/{place}", surface))
    return found + list(_across(blocks))


def view_mistakes(view: object) -> list[Mistake]:
    """Everything Slack would refuse in a modal or a Home tab; pointers start from the view."""
    if not isinstance(view, dict):
        return [Mistake("", "must provide an object")]
    surface = view.get("type")
    if surface not in (Surface.MODAL, Surface.HOME):
        return [Mistake("/type", "must be one of: modal, home")]
    found = list(VIEWS[surface](view, ""))
    found += [Mistake(f"/blocks{each.pointer}", each.message) for each in mistakes(view.get("blocks"), surface)]
    has_input = any(isinstance(each, dict) and each.get("type") == "input" for each in view.get("blocks") or [])
    if surface == Surface.MODAL and has_input and not view.get("submit"):
        found.append(Mistake("/submit", "must be defined when an input block is in the view"))
    return found


def view_too_large(view: object) -> bool:
    """True where the view's JSON is over 250 KB."""
    return len(json.dumps(view).encode()) > VIEW_BYTES


VIEW_FIELDS: dict[str, Check] = {
    "private_metadata": string(3000, low=0),
    "callback_id": string(255, low=0),
    "external_id": string(255, low=0),
}
MODAL_FIELDS: dict[str, Check] = {
    **VIEW_FIELDS,
    "submit": plain_text(24),
    "close": plain_text(24),
    "clear_on_close": boolean,
    "notify_on_close": boolean,
    "submit_disabled": boolean,
}
VIEWS: dict[str, Check] = {
    Surface.MODAL: shape({"title": plain_text(24), "blocks": anything}, MODAL_FIELDS),
    Surface.HOME: shape({"blocks": anything}, VIEW_FIELDS),
}


def _both(first: Check, second: Check, value: Any, at: str) -> Iterator[Mistake]:
    yield from first(value, at)
    yield from second(value, at)


def _of_block(block: Any, at: str, surface: Surface) -> Iterator[Mistake]:
    if not isinstance(block, dict):
        yield Mistake(at, "must provide an object")
        return
    kind = KINDS.get(str(block.get("type")))
    if kind is None or surface not in kind.surfaces:
        yield Mistake(f"{at}/type", f"unsupported type: {block.get('type')}")
        return
    yield from kind.check(block, at)
    action_ids = [each["action_id"] for each in _elements(block) if isinstance(each.get("action_id"), str)]
    yield from unique(action_ids, at, "action_id")
    yield from _of_elements(block, at, surface)


def _of_elements(block: dict[str, Any], at: str, surface: Surface) -> Iterator[Mistake]:
    """number_input and response_url_enabled exist in modals only, and there in input blocks only."""
    if surface is Surface.MODAL and block["type"] == "input":
        return
    for each in _elements(block):
        if each.get("type") == "number_input":
            yield Mistake(at, "unsupported element: number_input")
        if each.get("response_url_enabled"):
            yield Mistake(at, "response_url_enabled is only supported in input blocks of modals")


def _elements(value: Any) -> list[dict[str, Any]]:
    """Every interactive element within the block, however deep."""
    if isinstance(value, list):
        return [found for each in value for found in _elements(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if str(value.get("type")) in ELEMENTS else []
    return own + [found for each in value.values() for found in _elements(each)]


def _across(blocks: list[Any]) -> Iterator[Mistake]:
    """What the blocks of one payload may not have together."""
    whole = [each for each in blocks if isinstance(each, dict)]
    yield from unique([each["block_id"] for each in whole if isinstance(each.get("block_id"), str)], "", "block_id")
    by_kind = {kind: [each for each in whole if each.get("type") == kind] for kind in KINDS}
    if sum(len(str(each.get("text", ""))) for each in by_kind["markdown"]) > MARKDOWN_CHARACTERS:
        yield Mistake("", f"markdown blocks must have no more than {MARKDOWN_CHARACTERS} characters together")
    if len(by_kind["table"]) > 1:
        yield Mistake("", "no more than 1 table block allowed")
    if _characters_of(by_kind["table"]) > TABLE_CHARACTERS:
        yield Mistake("", f"table blocks must have no more than {TABLE_CHARACTERS} characters together")
    if len(by_kind["data_table"]) > 1 and _characters_of(by_kind["data_table"]) > DATA_TABLE_CHARACTERS:
        yield Mistake("", f"data_table blocks must have no more than {DATA_TABLE_CHARACTERS} characters together")
    if len(by_kind["data_visualization"]) > CHARTS_PER_MESSAGE:
        yield Mistake("", f"no more than {CHARTS_PER_MESSAGE} data_visualization blocks allowed")


def _characters_of(tables: list[dict[str, Any]]) -> int:
    return sum(_cell_characters(each.get("rows")) for each in tables)
