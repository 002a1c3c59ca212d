"""The conversations.* methods: finding channels, joining them, reading them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import BOT_USER_ID, Channel, Json, Message, SlackRefusal

KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
MOST_PER_PAGE = 999
Item = TypeVar("Item")


def list_(platform: Platform, args: Arguments) -> Json:
    """conversations.list: public channels, and the private ones the bot is in; a page at a time."""
    kinds = [each.strip() for each in args.text("types", "public_channel").split(",")]
    if not set(kinds) <= KINDS.keys():
        raise SlackRefusal("invalid_types")
    for kind in kinds:
        platform.credentials.require_scope(f"{KINDS[kind]}:read")
    found = [
        each
        for each in platform.workspace.channels.values()
        if _kind(each) in kinds
        and (each.public or each.has_bot())
        and not (each.archived and args.flag("exclude_archived"))
    ]
    page, following = page_of(found, args, 100)
    return {"channels": [each.json() for each in page], "response_metadata": {"next_cursor": following}}


def info(platform: Platform, args: Arguments) -> Json:
    """conversations.info: one channel the bot can see."""
    return {"channel": _readable(platform, args, "read").json()}


def members(platform: Platform, args: Arguments) -> Json:
    """conversations.members: user ids, a page at a time."""
    channel = _readable(platform, args, "read")
    page, following = page_of(sorted(channel.members), args, 100)
    return {"members": page, "response_metadata": {"next_cursor": following}}


def join(platform: Platform, args: Arguments) -> Json:
    """conversations.join: public channels only."""
    platform.credentials.require_scope("channels:join")
    channel = _channel(platform, args)
    if not channel.public:
        raise SlackRefusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackRefusal("is_archived")
    warned: Json = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    answer = warned if channel.has_bot() else {}
    channel.members.add(BOT_USER_ID)
    return {"channel": channel.json(), **answer}


def open_(platform: Platform, args: Arguments) -> Json:
    """conversations.open: the direct messages with one user."""
    platform.credentials.require_scope("im:write")
    user = platform.workspace.users.get(args.required("users"))
    if user is None:
        raise SlackRefusal("user_not_found")
    return {"channel": {"id": platform.workspace.direct_messages_with(user.id).id}}


def history(platform: Platform, args: Arguments) -> Json:
    """conversations.history: what the channel shows, newest first; the bot must be a member."""
    channel = _member_of(platform, args)
    shown = [each for each in platform.workspace.visible(channel.id) if each.in_channel and _within(each, args)]
    page, following = page_of(shown[::-1], args, 100)
    return {
        "messages": [_with_thread(platform, each, args) for each in page],
        "has_more": bool(following),
        "pin_count": 0,
        "response_metadata": {"next_cursor": following},
    }


def replies(platform: Platform, args: Arguments) -> Json:
    """conversations.replies: the parent, then its thread, oldest first."""
    channel = _member_of(platform, args)
    asked = platform.workspace.find_message(channel.id, args.required("ts"))
    if asked is None:
        raise SlackRefusal("thread_not_found")
    parent = asked
    if asked.is_reply and asked.thread_ts is not None:
        parent = platform.workspace.find_message(channel.id, asked.thread_ts) or asked
    thread = [parent, *(each for each in platform.workspace.replies(parent) if _within(each, args))]
    page, following = page_of(thread, args, MOST_PER_PAGE)
    return {
        "messages": [_with_thread(platform, each, args) for each in page],
        "has_more": bool(following),
        "response_metadata": {"next_cursor": following},
    }


def _kind(channel: Channel) -> str:
    if channel.im_with is not None:
        return "im"
    return "private_channel" if channel.private else "public_channel"


def _channel(platform: Platform, args: Arguments) -> Channel:
    """By id only; a private channel without the bot does not exist for it."""
    channel = platform.workspace.channels.get(args.required("channel"))
    if channel is None or not (channel.public or channel.has_bot()):
        raise SlackRefusal("channel_not_found")
    return channel


def _readable(platform: Platform, args: Arguments, right: str) -> Channel:
    """The channel, where a scope of its kind with this right was granted."""
    platform.credentials.require_scope(*(f"{kind}:{right}" for kind in KINDS.values()))
    channel = _channel(platform, args)
    platform.credentials.require_scope(f"{KINDS[_kind(channel)]}:{right}")
    return channel


def _member_of(platform: Platform, args: Arguments) -> Channel:
    channel = _readable(platform, args, "history")
    if not channel.has_bot():
        raise SlackRefusal("not_in_channel")
    return channel


def _within(message: Message, args: Arguments) -> bool:
    """Between `oldest` and `latest`, both excluded unless `inclusive`."""
    stamp, oldest, latest = _stamp(message.ts), args.text("oldest"), args.text("latest")
    if args.flag("inclusive") and message.ts in (oldest, latest):
        return True
    return not (oldest and stamp <= _stamp(oldest)) and not (latest and stamp >= _stamp(latest))


def _stamp(ts: str) -> int:
    """Microseconds; "1512085950", "1512085950.000216" and "now" are understood."""
    if ts == "now":
        return 10**18
    seconds, _, micros = ts.partition(".")
    try:
        return int(seconds) * 1_000_000 + int(micros.ljust(6, "0")[:6] or 0)
    except ValueError:
        raise SlackRefusal("invalid_ts_oldest") from None


def page_of(items: Sequence[Item], args: Arguments, default: int) -> tuple[list[Item], str]:
    """One page and the cursor of the next, empty at the end."""
    limit = min(max(args.number("limit", default), 1), MOST_PER_PAGE)
    start = _place(args.text("cursor"))
    end = start + limit
    following = urlsafe_b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), following


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(urlsafe_b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise SlackRefusal("invalid_cursor") from None


def _with_thread(platform: Platform, message: Message, args: Arguments) -> Json:
    """The message as these methods show it: a parent with the count of its replies."""
    shown = message.json(all_metadata=args.flag("include_all_metadata"))
    thread = [] if message.is_reply else platform.workspace.replies(message)
    if thread:
        shown |= {
            "thread_ts": message.ts,
            "reply_count": len(thread),
            "reply_users_count": len({each.user for each in thread}),
            "reply_users": sorted({each.user for each in thread}),
            "latest_reply": thread[-1].ts,
        }
    return shown
