"""The views.* methods and blocks.validate: modals and the Home tab."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from bot.sandbox.slack.arguments import Arguments, invalid_arguments
from bot.sandbox.slack.blocks import Surface, mistakes, view_mistakes, view_too_large
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.shapes import Mistake
from bot.sandbox.slack.workspace import Json, SlackRefusal, View, with_block_ids

MOST_STACKED = 3


def open_(platform: Platform, args: Arguments) -> Json:
    """views.open: a modal on its own, with a trigger of the last three seconds."""
    content = _checked(platform, args.structure("view", "invalid_arguments"), Surface.MODAL)
    trigger = platform.triggers.use(args.required("trigger_id"))
    view = show(platform, trigger.user, content)
    view.trigger_id = trigger.id
    return {"view": view.json()}


def push(platform: Platform, args: Arguments) -> Json:
    """views.push: on top of the user's open modal, three at most."""
    content = _checked(platform, args.structure("view", "invalid_arguments"), Surface.MODAL)
    trigger = platform.triggers.use(args.required("trigger_id"))
    view = push_for(platform, trigger.user, content)
    view.trigger_id = trigger.id
    return {"view": view.json()}


def update(platform: Platform, args: Arguments) -> Json:
    """views.update: by `view_id` or `external_id`; a stale `hash` is refused."""
    view = _found(platform, args)
    content = _checked(platform, args.structure("view", "invalid_arguments"), Surface(view.type), replacing=view)
    _require_hash(view, args.text("hash"))
    change(view, content)
    return {"view": view.json()}


def publish(platform: Platform, args: Arguments) -> Json:
    """views.publish: the Home tab of one user."""
    content = _checked(platform, args.structure("view", "invalid_arguments"), Surface.HOME)
    user = args.required("user_id")
    if user not in platform.workspace.users:
        raise SlackRefusal("user_not_found")
    home = platform.workspace.home(user)
    if home is None:
        home = show(platform, user, content)
    else:
        _require_hash(home, args.text("hash"))
        change(home, content)
    return {"view": home.json()}


def validate(_platform: Platform, args: Arguments) -> Json:
    """blocks.validate: exactly one of `blocks`, `message`, `view`; no token, no scope."""
    given = [name for name in ("blocks", "message", "view") if name in args]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of blocks, message, view")
    name = given[0]
    value = args.structure(name, f"invalid_{name}")
    found = _mistakes_of(name, value)
    if found:
        errors = [{"pointer": each.pointer, "code": "failed_constraint", "message": each.message} for each in found]
        raise SlackRefusal(f"invalid_{name}", errors=errors)
    return {}


def show(platform: Platform, user: str, content: Json) -> View:
    """Open a view for the user as the root of its own stack."""
    view_id = platform.workspace.next_id("V")
    view = View(view_id, user, _with_ids(content), _new_hash(), root_id=view_id)
    platform.workspace.views[view_id] = view
    return view


def push_for(platform: Platform, user: str, content: Json) -> View:
    """Open a view on top of the user's stack."""
    stack = platform.workspace.open_views(user)
    if len(stack) >= MOST_STACKED:
        raise SlackRefusal("push_limit_reached")
    view = show(platform, user, content)
    if stack:
        view.previous_id, view.root_id = stack[-1].id, stack[-1].root_id
    return view


def change(view: View, content: Json) -> None:
    """Replace what the view shows, keeping what it showed."""
    view.edits.append(view.content)
    view.content = _with_ids(content)
    view.hash = _new_hash()


def refused_view(content: Any) -> SlackRefusal | None:
    """How Slack refuses this view, None where it would accept it."""
    if view_too_large(content):
        return SlackRefusal("view_too_large")
    found = view_mistakes(content)
    return (
        invalid_arguments(*(f"{each.message} [json-pointer:/view{each.pointer}]" for each in found)) if found else None
    )


def _checked(platform: Platform, content: Any, surface: Surface, replacing: View | None = None) -> Json:
    refusal = refused_view(content)
    if refusal is not None:
        raise refusal
    checked: Json = content
    if checked["type"] != surface:
        raise invalid_arguments(f"must be of type {surface} [json-pointer:/view/type]")
    external_id = checked.get("external_id")
    others = (each for each in platform.workspace.views.values() if each is not replacing and each.is_open)
    if (
        external_id
        and surface is Surface.MODAL
        and any(each.content.get("external_id") == external_id for each in others)
    ):
        raise SlackRefusal("duplicate_external_id")
    return checked


def _found(platform: Platform, args: Arguments) -> View:
    views = platform.workspace.views
    view = views.get(args.text("view_id"))
    external_id = args.text("external_id")
    if view is None and external_id:
        named = (each for each in views.values() if each.content.get("external_id") == external_id and each.is_open)
        view = next(named, None)
    if view is None or not view.is_open:
        raise SlackRefusal("not_found")
    return view


def _require_hash(view: View, given: str) -> None:
    if given and given != view.hash:
        raise SlackRefusal("hash_conflict")


def _mistakes_of(name: str, value: Any) -> list[Mistake]:
    if name == "view":
        return view_mistakes(value)
    if name == "message":
        if not isinstance(value, dict):
            return [Mistake("", "must provide an object")]
        inner = mistakes(value.get("blocks", []), Surface.MESSAGE)
        return [Mistake(f"/blocks{each.pointer}", each.message) for each in inner]
    return mistakes(value, Surface.MESSAGE)


def _with_ids(content: Json) -> Json:
    return {**content, "blocks": with_block_ids(content["blocks"])}


def _new_hash() -> str:
    return f"{token_hex(5)}.{token_hex(4)}"
