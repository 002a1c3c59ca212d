"""The limits of Block Kit, one row each: what is just accepted, and what is just refused and where."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack.blocks import mistakes, view_mistakes, view_too_large

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hello", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "go", text: str = "Go", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def option(text: str = "One", value: str = "1") -> Json:
    return {"text": plain(text), "value": value}


def select(options: int = 1, **more: Any) -> Json:
    chosen = [option(value=str(number)) for number in range(options)]
    return {"type": "static_select", "action_id": "pick", "options": chosen, **more}


def field_input(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Limit"), "element": element, **more}


def number_input(**more: Any) -> Json:
    return {"type": "number_input", "action_id": "v", "is_decimal_allowed": True, **more}


def cell(text: str = "x") -> Json:
    return {"type": "raw_text", "text": text}


def amount(value: float = 1, text: str = "$1.00") -> Json:
    return {"type": "raw_number", "value": value, "text": text}


def rich(text: str = "x") -> Json:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }


def data_table(rows: list[list[Json]], **more: Any) -> Json:
    return {"type": "data_table", "caption": "Spend", "rows": rows, **more}


def grid(rows: int, columns: int = 1, text: str = "x") -> list[list[Json]]:
    return [[cell(text) for _ in range(columns)] for _ in range(rows)]


def points(labels: list[str], value: float = 1) -> list[Json]:
    return [{"label": label, "value": value} for label in labels]


def line(series: int = 1, labels: int = 2, **more: Any) -> Json:
    names = [f"day {number}" for number in range(labels)]
    drawn = [{"name": f"series {number}", "data": points(names)} for number in range(series)]
    return chart({"type": "line", "series": drawn, "axis_config": {"categories": names}}, **more)


def pie(*values: float) -> Json:
    return chart(
        {"type": "pie", "segments": [{"label": str(place), "value": each} for place, each in enumerate(values)]}
    )


def chart(drawn: Json, title: str = "Spend") -> Json:
    return {"type": "data_visualization", "title": title, "chart": drawn}


def with_gap(block: Json) -> Json:
    del block["chart"]["series"][0]["data"][1]
    return block


def named(block: Json, name: str) -> Json:
    for series in block["chart"]["series"]:
        series["name"] = name
    return block


CONFIRM = {"title": plain("Sure"), "text": plain("Really"), "confirm": plain("Yes"), "deny": plain("No")}
IMAGE = {"type": "image", "image_url": "https://example.com/a.png"}

ACCEPTED: dict[str, list[Json]] = {
    "50 blocks": [{"type": "divider"}] * 50,
    "section of 3000": [section("x" * 3000)],
    "10 fields": [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    "section with button": [section(accessory=button(), expand=True)],
    "header of 150": [{"type": "header", "text": plain("x" * 150), "level": 4}],
    "context of 10": [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    "25 actions": [actions(*(button(f"a{number}") for number in range(25)))],
    "button at its limits": [actions(button(text="x" * 75, value="x" * 2000, url="x" * 3000, style="danger"))],
    "select of 100": [actions(select(100, placeholder=plain("x" * 150), confirm=CONFIRM))],
    "overflow of 5": [section(accessory={"type": "overflow", "action_id": "o", "options": [option()] * 5})],
    "image": [IMAGE | {"alt_text": "A chart", "title": plain("Chart")}],
    "input": [field_input({"type": "plain_text_input", "action_id": "v", "max_length": 3000})],
    "rich text": [rich()],
    "markdown of 12,000": [{"type": "markdown", "text": "x" * 6000}] * 2,
    "table": [{"type": "table", "rows": grid(100, 20), "column_settings": [None, {"align": "right"}]}],
    "data_table of 201 rows": [data_table(grid(201, 20), page_size=100, row_header_column_index=19)],
    "data_table of 20,000": [data_table([[cell("x" * 10_000)], [cell("x" * 10_000)]])],
    "data_table with numbers and buttons": [
        data_table(
            [
                [cell(), cell(), cell()],
                [amount(), rich(), {"type": "action_cell", "element": button(), "fallback": cell()}],
            ]
        )
    ],
    "2 charts": [line(), pie(1, 2)],
    "12 series of 20": [line(12, 20)],
    "12 segments": [pie(*range(1, 13))],
    "negative values": [
        chart(
            {
                "type": "bar",
                "series": [{"name": "s", "data": points(["a"], -1)}],
                "axis_config": {"categories": ["a"], "x_label": "x" * 50, "y_label": "y" * 50},
            }
        )
    ],
    "card": [{"type": "card", "title": mrkdwn("x" * 150), "actions": [button("a"), button("b"), button("c")]}],
    "carousel": [{"type": "carousel", "elements": [{"type": "card", "body": mrkdwn("x")}] * 10}],
    "container": [
        {"type": "container", "title": plain("Details"), "is_collapsible": True, "child_blocks": [section()] * 10}
    ],
}


@pytest.mark.parametrize("blocks", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_within_the_limits_is_accepted(blocks: list[Json]) -> None:
    assert mistakes(blocks, "message") == []


REFUSED: dict[str, tuple[list[Any], str]] = {
    "51 blocks": ([{"type": "divider"}] * 51, ""),
    "not an object": (["text"], "/0"),
    "unknown type": ([{"type": "hologram"}], "/0/type"),
    "unknown field": ([section(color="red")], "/0"),
    "block_id over 255": ([section(block_id="x" * 256)], "/0/block_id"),
    "block_id twice": ([section(block_id="a"), section(block_id="a")], ""),
    "section over 3000": ([section("x" * 3001)], "/0/text/text"),
    "empty section": ([section("")], "/0/text/text"),
    "section of nothing": ([{"type": "section"}], "/0"),
    "11 fields": ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "/0/fields"),
    "field over 2000": ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "/0/fields/0/text"),
    "header over 150": ([{"type": "header", "text": plain("x" * 151)}], "/0/text/text"),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "/0/text/type"),
    "header level 5": ([{"type": "header", "text": plain("x"), "level": 5}], "/0/level"),
    "context of 11": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "/0/elements"),
    "button in context": ([{"type": "context", "elements": [button()]}], "/0/elements/0/type"),
    "26 actions": ([actions(*(button(f"a{number}") for number in range(26)))], "/0/elements"),
    "no actions": ([actions()], "/0/elements"),
    "action_id twice": ([actions(button("a"), button("a"))], "/0"),
    "action_id over 255": ([actions(button("x" * 256))], "/0/elements/0/action_id"),
    "button text over 75": ([actions(button(text="x" * 76))], "/0/elements/0/text/text"),
    "button value over 2000": ([actions(button(value="x" * 2001))], "/0/elements/0/value"),
    "button url over 3000": ([actions(button(url="x" * 3001))], "/0/elements/0/url"),
    "button style": ([actions(button(style="red"))], "/0/elements/0/style"),
    "select of 101": ([actions(select(101))], "/0/elements/0/options"),
    "select of nothing": ([actions(select(0))], "/0/elements/0/options"),
    "placeholder over 150": ([actions(select(placeholder=plain("x" * 151)))], "/0/elements/0/placeholder/text"),
    "initial option elsewhere": ([actions(select(initial_option=option("Two", "2")))], "/0/elements/0"),
    "option text over 75": ([actions(select() | {"options": [option("x" * 76)]})], "/0/elements/0/options/0/text/text"),
    "option value over 150": (
        [actions(select() | {"options": [option("x", "y" * 151)]})],
        "/0/elements/0/options/0/value",
    ),
    "overflow of 6": ([actions({"type": "overflow", "options": [option()] * 6})], "/0/elements/0/options"),
    "confirm text over 300": (
        [actions(button(confirm=CONFIRM | {"text": plain("x" * 301)}))],
        "/0/elements/0/confirm/text/text",
    ),
    "confirm title over 100": (
        [actions(button(confirm=CONFIRM | {"title": plain("x" * 101)}))],
        "/0/elements/0/confirm/title/text",
    ),
    "confirm button over 30": (
        [actions(button(confirm=CONFIRM | {"deny": plain("x" * 31)}))],
        "/0/elements/0/confirm/deny/text",
    ),
    "image without alt_text": ([IMAGE], "/0"),
    "number_input in a message": ([field_input(number_input())], "/0"),
    "alert in a message": ([{"type": "alert", "text": mrkdwn("x")}], "/0/type"),
    "markdown over 12,000 together": ([{"type": "markdown", "text": "x" * 6001}] * 2, ""),
    "empty rich text": ([rich("")], "/0/elements/0/elements/0/text"),
    "2 tables": ([{"type": "table", "rows": grid(1)}] * 2, ""),
    "table of 101 rows": ([{"type": "table", "rows": grid(101)}], "/0/rows"),
    "table over 10,000": ([{"type": "table", "rows": [[cell("x" * 10_001)]]}], ""),
    "data_table of 1 row": ([data_table(grid(1))], "/0/rows"),
    "data_table of 202 rows": ([data_table(grid(202))], "/0/rows"),
    "data_table of 21 columns": ([data_table(grid(2, 21))], "/0/rows/0"),
    "data_table of uneven rows": ([data_table([*grid(2, 2), *grid(1, 1)])], "/0/rows/2"),
    "data_table with an empty cell": ([data_table([[cell()], [cell("")]])], "/0/rows/1/0/text"),
    "data_table over 20,000": ([data_table([[cell("x")], [cell("x" * 20_000)]])], "/0/rows"),
    "data_tables over 20,000 together": ([data_table([[cell("x")], [cell("x" * 10_000)]])] * 2, ""),
    "data_table with a rich header": ([data_table([[rich()], [cell()]])], "/0/rows/0/0/type"),
    "data_table without caption": ([{"type": "data_table", "rows": grid(2)}], "/0"),
    "raw_number without text": ([data_table([[cell()], [{"type": "raw_number", "value": 1}]])], "/0/rows/1/0"),
    "raw_number of a string": ([data_table([[cell()], [amount() | {"value": "1"}]])], "/0/rows/1/0/value"),
    "raw_number that is no number": ([data_table([[cell()], [amount(float("nan"))]])], "/0/rows/1/0/value"),
    "data_table page of 101": ([data_table(grid(2), page_size=101)], "/0/page_size"),
    "data_table row header nowhere": ([data_table(grid(2), row_header_column_index=1)], "/0/row_header_column_index"),
    "data_table with an action_id twice": (
        [data_table([[cell(), cell()], [{"type": "action_cell", "element": button("a")}] * 2])],
        "/0",
    ),
    "3 charts": ([pie(1)] * 3, ""),
    "13 series": ([line(13)], "/0/chart/series"),
    "21 points": ([line(1, 21)], "/0/chart/series/0/data"),
    "13 segments": ([pie(*range(1, 14))], "/0/chart/segments"),
    "pie slice of zero": ([pie(1, 0)], "/0/chart/segments/1/value"),
    "chart with a gap": ([with_gap(line())], "/0/chart/series/0/data"),
    "series name over 20": ([named(line(), "x" * 21)], "/0/chart/series/0/name"),
    "series names twice": ([named(line(2), "same")], "/0/chart/series"),
    "chart title over 50": ([line(title="x" * 51)], "/0/title"),
    "chart without title": ([line(title="")], "/0/title"),
    "chart of an unknown type": ([chart({"type": "radar"})], "/0/chart/type"),
    "card of nothing": ([{"type": "card"}], "/0"),
    "card with a bare title": ([{"type": "card", "title": "x"}], "/0/title"),
    "card with 4 buttons": (
        [{"type": "card", "actions": [button(f"a{number}") for number in range(4)]}],
        "/0/actions",
    ),
    "chart in a container": (
        [{"type": "container", "title": plain("x"), "child_blocks": [pie(1)]}],
        "/0/child_blocks/0/type",
    ),
    "task_card that has not begun": (
        [{"type": "task_card", "task_id": "1", "title": "x", "status": "pending"}],
        "/0/status",
    ),
}


@pytest.mark.parametrize(("blocks", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_is_beyond_a_limit_is_refused_where_it_stands(blocks: list[Json], pointer: str) -> None:
    found = mistakes(blocks, "message")
    assert pointer in [each.pointer for each in found], found


@pytest.mark.parametrize("blocks", [None, {}, "x", [None], [[]], [{"type": ["a"]}], [{"type": {}}]], ids=repr)
def test_nonsense_is_a_mistake_not_an_error(blocks: object) -> None:
    assert mistakes(blocks, "message")


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Edit"), "blocks": list(blocks), **more}


SURFACES = [
    ("markdown", {"type": "markdown", "text": "x"}, {"message"}),
    ("alert", {"type": "alert", "text": mrkdwn("x" * 200), "level": "warning"}, {"modal"}),
    ("table", {"type": "table", "rows": grid(2)}, {"message", "home"}),
    ("data_table", data_table(grid(2)), {"message", "home"}),
    ("data_visualization", pie(1), {"message", "home"}),
    ("carousel", {"type": "carousel", "elements": [{"type": "card", "body": mrkdwn("x")}]}, {"message", "home"}),
    ("container", {"type": "container", "title": plain("x"), "child_blocks": [section()]}, {"message", "home"}),
    ("section", section(), {"message", "modal", "home"}),
    ("input of a number", field_input(number_input()), {"modal"}),
]


@pytest.mark.parametrize(("block", "surfaces"), [row[1:] for row in SURFACES], ids=[row[0] for row in SURFACES])
def test_each_block_has_its_surfaces(block: Json, surfaces: set[str]) -> None:
    assert {surface for surface in ("message", "modal", "home") if not mistakes([block], surface)} == surfaces


VIEWS: dict[str, tuple[Any, str | None]] = {
    "modal": (modal(section()), None),
    "modal of 100 blocks": (modal(*[section()] * 100), None),
    "home": ({"type": "home", "blocks": [section()]}, None),
    "modal with input": (modal(field_input(number_input(min_value="0")), submit=plain("Save")), None),
    "modal of 101 blocks": (modal(*[section()] * 101), "/blocks"),
    "title over 24": (modal(section(), title=plain("x" * 25)), "/title/text"),
    "submit over 24": (modal(section(), submit=plain("x" * 25)), "/submit/text"),
    "private_metadata over 3000": (modal(section(), private_metadata="x" * 3001), "/private_metadata"),
    "callback_id over 255": (modal(section(), callback_id="x" * 256), "/callback_id"),
    "input without submit": (modal(field_input(number_input())), "/submit"),
    "numbers that are no strings": (
        modal(field_input(number_input(min_value=1)), submit=plain("Save")),
        "/blocks/0/element/min_value",
    ),
    "chart in a modal": (modal(pie(1)), "/blocks/0/type"),
    "title on a home tab": ({"type": "home", "title": plain("x"), "blocks": []}, ""),
    "no type": ({"blocks": []}, "/type"),
    "not an object": ([], ""),
}


@pytest.mark.parametrize(("view", "pointer"), VIEWS.values(), ids=VIEWS)
def test_views_keep_to_their_own_limits(view: object, pointer: str | None) -> None:
    found = [each.pointer for each in view_mistakes(view)]
    assert found == [] if pointer is None else pointer in found


def test_response_urls_are_for_inputs_of_modals_only() -> None:
    chooser = {"type": "conversations_select", "action_id": "c", "response_url_enabled": True}
    assert view_mistakes(modal(field_input(chooser), submit=plain("Go"))) == []
    assert [each.pointer for each in mistakes([actions(chooser)], "message")] == ["/0"]


def test_a_view_over_250_kilobytes_is_too_large() -> None:
    assert not view_too_large(modal(section("x" * 3000)))
    assert view_too_large(modal(*[section("x" * 3000)] * 90))
