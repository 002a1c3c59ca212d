"""The chat.* methods: posting, changing, deleting, linking."""

from __future__ import annotations

import re

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blocks import Surface, mistakes
from bot.sandbox.slack.metadata import metadata_argument
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.shapes import Mistake
from bot.sandbox.slack.workspace import (
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    Channel,
    Json,
    Message,
    SlackRefusal,
    with_block_ids,
)

LONGEST_TEXT = 40_000
LONGEST_UPDATED_TEXT = 4_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
TS = re.compile(r"\d{1,12}\.\d{6}")


def post_message(platform: Platform, args: Arguments) -> Json:
    """chat.postMessage: the channel by id, "#name", name, or a user's id for direct messages."""
    channel = destination(platform, args.text("channel"))
    text, blocks, attachments = content(args)
    metadata = metadata_argument(args)
    thread_ts = _thread(platform, channel, args.text("thread_ts"))
    message = platform.workspace.post(
        Message(
            channel=channel.id,
            ts=platform.workspace.next_ts(),
            user=BOT_USER_ID,
            bot_id=BOT_ID,
            text=text[:LONGEST_TEXT],
            blocks=blocks,
            attachments=attachments,
            metadata=metadata or None,
            thread_ts=thread_ts,
            reply_broadcast=thread_ts is not None and args.flag("reply_broadcast"),
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.json()}


def update(platform: Platform, args: Arguments) -> Json:
    """chat.update: the bot's own messages, by channel id; blocks that are not sent again are removed."""
    message = _own_message(platform, args, "cant_update_message")
    if platform.workspace.channels[message.channel].archived:
        raise SlackRefusal("is_inactive")
    if len(args.text("text")) > LONGEST_UPDATED_TEXT:
        raise SlackRefusal("msg_too_long")
    text, blocks, attachments = content(args)
    metadata = metadata_argument(args)
    kept = message.metadata if metadata is None else metadata or None
    message.attachments = attachments
    message.change(platform.workspace.next_ts(), text, with_block_ids(blocks), kept)
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": message.json()}


def delete(platform: Platform, args: Arguments) -> Json:
    """chat.delete: the bot's own messages."""
    message = _own_message(platform, args, "cant_delete_message")
    message.deleted = True
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(platform: Platform, args: Arguments) -> Json:
    """chat.postEphemeral: bot and user must both be in the channel."""
    channel = destination(platform, args.text("channel"))
    user = args.required("user")
    if not channel.has_bot():
        raise SlackRefusal("not_in_channel")
    if user not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    text, blocks, attachments = content(args)
    message = platform.workspace.post(
        Message(
            channel=channel.id,
            ts=platform.workspace.next_ts(),
            user=BOT_USER_ID,
            bot_id=BOT_ID,
            text=text,
            blocks=blocks,
            attachments=attachments,
            thread_ts=_thread(platform, channel, args.text("thread_ts")),
            visible_to=user,
        )
    )
    return {"message_ts": message.ts}


def get_permalink(platform: Platform, args: Arguments) -> Json:
    """chat.getPermalink: the address of one message."""
    channel = platform.workspace.channels.get(args.required("channel"))
    if channel is None or (channel.private and not channel.has_bot()):
        raise SlackRefusal("channel_not_found")
    message = platform.workspace.find_message(channel.id, args.required("message_ts"))
    if message is None:
        raise SlackRefusal("message_not_found")
    return {"channel": channel.id, "permalink": permalink(message)}


def permalink(message: Message) -> str:
    """The address under which people open the message."""
    return f"https://{TEAM_DOMAIN}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"


def destination(platform: Platform, name: str) -> Channel:
    """Where a post may go; refuses as Slack does where the bot may not post."""
    workspace = platform.workspace
    user = workspace.users.get(name)
    if user is not None:
        if user.deleted or user.is_bot:
            raise SlackRefusal("channel_not_found")
        return workspace.direct_messages_with(user.id)
    channel = workspace.find_channel(name) if name else None
    if channel is None or (channel.private and not channel.has_bot()):
        raise SlackRefusal("channel_not_found")
    if channel.archived:
        raise SlackRefusal("is_archived")
    if not channel.has_bot() and "chat:write.public" not in platform.credentials.scopes:
        raise SlackRefusal("not_in_channel")
    return channel


def content(args: Arguments) -> tuple[str, list[Json], list[Json]]:
    """Text, blocks and attachments, at least one of them; refuses blocks that break a rule."""
    text = args.text("text")
    blocks = args.structure("blocks", "invalid_blocks_format") or []
    attachments = args.structure("attachments", "invalid_attachments") or []
    if args.text("markdown_text"):
        if text or blocks:
            raise SlackRefusal("markdown_text_conflict")
        text = args.text("markdown_text")
        if len(text) > LONGEST_MARKDOWN:
            raise SlackRefusal("msg_too_long")
    if not isinstance(blocks, list):
        raise SlackRefusal("invalid_blocks_format")
    found = mistakes(blocks, Surface.MESSAGE)
    if found:
        raise invalid_blocks(found)
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackRefusal("too_many_attachments")
    if not text.strip() and not blocks and not attachments:
        raise SlackRefusal("no_text")
    return text, blocks, attachments


def invalid_blocks(found: list[Mistake]) -> SlackRefusal:
    """Slack's refusal of blocks: each mistake with its JSON pointer."""
    lines = [f"{each.message} [json-pointer:/blocks{each.pointer}]" for each in found]
    return SlackRefusal(
        "invalid_blocks", errors=lines, response_metadata={"messages": [f"[ERROR] {line}" for line in lines]}
    )


def _thread(platform: Platform, channel: Channel, thread_ts: str) -> str | None:
    """The parent to reply to; a reply cannot be one."""
    if not thread_ts:
        return None
    if not TS.fullmatch(thread_ts):
        message = f"[ERROR] {thread_ts} is not a valid thread_ts"
        raise SlackRefusal("invalid_thread_ts", response_metadata={"messages": [message]})
    parent = platform.workspace.find_message(channel.id, thread_ts)
    if parent is None:
        raise SlackRefusal("thread_not_found")
    if parent.is_reply:
        raise SlackRefusal("cannot_reply_to_message")
    return parent.ts


def _own_message(platform: Platform, args: Arguments, not_own: str) -> Message:
    channel = platform.workspace.channels.get(args.required("channel"))
    if channel is None or (channel.private and not channel.has_bot()):
        raise SlackRefusal("channel_not_found")
    message = platform.workspace.find_message(channel.id, args.required("ts"))
    if message is None:
        raise SlackRefusal("message_not_found")
    if message.bot_id != BOT_ID:
        raise SlackRefusal(not_own)
    return message
