"""Uploading a file in Slack's three steps: ask for an address, send the bytes there, share it in a channel."""

from __future__ import annotations

from bot.sandbox.slack.arguments import Arguments, invalid_arguments
from bot.sandbox.slack.chat import TS
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import BOT_ID, BOT_USER_ID, File, Json, Message, SlackRefusal


def get_upload_url(platform: Platform, args: Arguments) -> Json:
    """files.getUploadURLExternal: an address for `length` bytes."""
    file_id = platform.workspace.next_id("F")
    url = platform.files.reserve(file_id, args.required("filename"), args.number("length", 0))
    return {"upload_url": url, "file_id": file_id}


def complete_upload(platform: Platform, args: Arguments) -> Json:
    """files.completeUploadExternal: share what was uploaded; the bot must be in the channel."""
    asked = args.structure("files", "invalid_arguments")
    if not isinstance(asked, list) or not asked:
        raise invalid_arguments("missing required field: files")
    shared = [_uploaded(platform, each) for each in asked]
    channel = platform.workspace.channels.get(args.text("channel_id"))
    if args.text("channel_id"):
        if channel is None or not channel.has_bot():
            raise SlackRefusal("channel_not_found" if channel is None or channel.private else "not_in_channel")
        thread_ts = args.text("thread_ts") or None
        if thread_ts is not None and not TS.fullmatch(thread_ts):
            raise SlackRefusal("invalid_thread_ts")
        platform.workspace.post(
            Message(
                channel=channel.id,
                ts=platform.workspace.next_ts(),
                user=BOT_USER_ID,
                bot_id=BOT_ID,
                text=args.text("initial_comment"),
                thread_ts=thread_ts,
                files=[each.json() for each in shared],
            )
        )
    return {"files": [each.json() for each in shared]}


def _uploaded(platform: Platform, asked: Json) -> File:
    file = platform.files.by_id.get(str(asked.get("id")))
    if file is None or file.content is None:
        raise SlackRefusal("file_not_found")
    file.title = str(asked.get("title", ""))
    return file
