"""Rules of Block Kit's text objects and interactive elements (block reference, element limits)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.shapes import (
    Check,
    Mistake,
    any_field_of,
    anything,
    array,
    boolean,
    by_type,
    decimal_string,
    integer,
    not_both,
    number,
    one_of,
    shape,
    string,
)


def plain_text(high: int) -> Check:
    """A text object of type plain_text, 1 to `high` characters."""
    return by_type({"plain_text": shape({"text": string(high)}, {"emoji": boolean})})


def mrkdwn_text(high: int) -> Check:
    """A text object of type mrkdwn, 1 to `high` characters."""
    return by_type({"mrkdwn": shape({"text": string(high)}, {"verbatim": boolean})})


def text(high: int) -> Check:
    """A text object of either type, 1 to `high` characters."""
    return by_type({"plain_text": plain_text(high), "mrkdwn": mrkdwn_text(high)})


CONFIRM = shape(
    {"title": plain_text(100), "text": text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
OPTION = shape(
    {"text": text(75), "value": string(150)},
    {"description": text(75), "url": string(3000)},
)
OPTION_GROUP = shape({"label": plain_text(75), "options": array(OPTION, 1, 100)})
SLACK_FILE = shape({}, {"id": string(), "url": string(3000)}, any_field_of("id", "url"), not_both("id", "url"))
IMAGE_SOURCE = {"image_url": string(3000), "slack_file": SLACK_FILE}
IMAGE_ELEMENT = shape(
    {"alt_text": string(2000)},
    IMAGE_SOURCE,
    any_field_of("image_url", "slack_file"),
    not_both("image_url", "slack_file"),
)
FILTER = shape(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)

ACTION_ID: dict[str, Check] = {"action_id": string(255)}
CONFIRMED: dict[str, Check] = {**ACTION_ID, "confirm": CONFIRM}
FOCUSED: dict[str, Check] = {**CONFIRMED, "focus_on_load": boolean}
SELECT: dict[str, Check] = {**FOCUSED, "placeholder": plain_text(150)}
MULTI: dict[str, Check] = {**SELECT, "max_selected_items": integer(1)}
TYPED: dict[str, Check] = {
    **ACTION_ID,
    "focus_on_load": boolean,
    "placeholder": plain_text(150),
    "dispatch_action_config": anything,
    "initial_value": string(3000, low=0),
}
OPTIONS: dict[str, Check] = {"options": array(OPTION, 1, 100), "option_groups": array(OPTION_GROUP, 1, 100)}
ID_LIST = array(string())


def _initial_among_options(value: Any, at: str) -> Iterator[Mistake]:
    """What is chosen at first must be one of the options, word for word."""
    options = list(value.get("options", []))
    for group in value.get("option_groups", []):
        options += group["options"]
    chosen = [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
    for each in chosen:
        if each not in options:
            yield Mistake(at, "initial option not found in options")


def _select(fields: dict[str, Check], initial: dict[str, Check]) -> Check:
    one_source = (any_field_of("options", "option_groups"), not_both("options", "option_groups"))
    return shape({}, {**fields, **OPTIONS, **initial}, *one_source, _initial_among_options)


def _choices(initial: dict[str, Check]) -> Check:
    return shape({"options": array(OPTION, 1, 10)}, {**FOCUSED, **initial}, _initial_among_options)


def _ordered_bounds(value: Any, at: str) -> Iterator[Mistake]:
    low, high = value.get("min_value"), value.get("max_value")
    if low is not None and high is not None and float(low) > float(high):
        yield Mistake(at, "min_value must not be greater than max_value")


CONVERSATION_SELECT: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": FILTER}
INITIAL_OPTION: dict[str, Check] = {"initial_option": OPTION}
INITIAL_OPTIONS: dict[str, Check] = {"initial_options": array(OPTION)}
FEEDBACK_BUTTON = shape({"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)})

ELEMENTS: dict[str, Check] = {
    "button": shape(
        {"text": plain_text(75)},
        {
            **CONFIRMED,
            "url": string(3000),
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
    ),
    "static_select": _select(SELECT, INITIAL_OPTION),
    "multi_static_select": _select(MULTI, INITIAL_OPTIONS),
    "external_select": shape({}, {**SELECT, **INITIAL_OPTION, "min_query_length": integer(0)}),
    "multi_external_select": shape({}, {**MULTI, **INITIAL_OPTIONS, "min_query_length": integer(0)}),
    "users_select": shape({}, {**SELECT, "initial_user": string()}),
    "multi_users_select": shape({}, {**MULTI, "initial_users": ID_LIST}),
    "conversations_select": shape(
        {}, {**SELECT, **CONVERSATION_SELECT, "initial_conversation": string(), "response_url_enabled": boolean}
    ),
    "multi_conversations_select": shape({}, {**MULTI, **CONVERSATION_SELECT, "initial_conversations": ID_LIST}),
    "channels_select": shape({}, {**SELECT, "initial_channel": string(), "response_url_enabled": boolean}),
    "multi_channels_select": shape({}, {**MULTI, "initial_channels": ID_LIST}),
    "overflow": shape({"options": array(OPTION, 1, 5)}, CONFIRMED),
    "radio_buttons": _choices(INITIAL_OPTION),
    "checkboxes": _choices(INITIAL_OPTIONS),
    "datepicker": shape({}, {**SELECT, "initial_date": string(10)}),
    "timepicker": shape({}, {**SELECT, "initial_time": string(5), "timezone": string()}),
    "datetimepicker": shape({}, {**FOCUSED, "initial_date_time": number}),
    "plain_text_input": shape(
        {},
        {**TYPED, "multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000)},
    ),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**TYPED, "initial_value": decimal_string, "min_value": decimal_string, "max_value": decimal_string},
        _ordered_bounds,
    ),
    "email_text_input": shape({}, TYPED),
    "url_text_input": shape({}, TYPED),
    "rich_text_input": shape({}, {**TYPED, "initial_value": anything}),
    "file_input": shape({}, {**ACTION_ID, "filetypes": array(string()), "max_files": integer(1, 10)}),
    "feedback_buttons": shape({"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, ACTION_ID),
    "icon_button": shape({"icon": string(), "text": plain_text(75)}, {**CONFIRMED, "value": string(2000)}),
    "image": IMAGE_ELEMENT,
}

SELECTS = frozenset(name for name in ELEMENTS if name.endswith("_select"))
PICKED = SELECTS | {"radio_buttons", "checkboxes", "datepicker", "timepicker", "datetimepicker"}
IN_ACTIONS = PICKED | {"button", "overflow"}
IN_SECTION = IN_ACTIONS | {"image"}
IN_INPUT = PICKED | {
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
}


def element(allowed: frozenset[str]) -> Check:
    """An element of one of these types."""
    return by_type(ELEMENTS, allowed)
