"""What a simulated Slack workspace consists of: people, channels, messages, views. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from secrets import token_hex
from typing import Any

Json = dict[str, Any]

TEAM_ID = "T0SANDBOX1"
TEAM_DOMAIN = "sandbox"
TEAM_NAME = "Sandbox"
APP_ID = "A0AGENTUSE"
BOT_USER_ID = "U0BOTUSER1"
BOT_ID = "B0AGENTUSE"
ADMIN = "U0ADMIN01"
MEMBER = "U0MEMBER1"
GUEST = "U0GUEST01"
SPEND_CHANNEL = "C0SPEND001"
OPERATIONS_CHANNEL = "C0OPS00001"
GENERAL_CHANNEL = "C0GENERAL1"

ALL_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "users:read",
        "chat:write.public",
        "channels:read",
        "groups:read",
        "channels:history",
        "groups:history",
        "channels:join",
        "usergroups:read",
        "files:write",
        "im:write",
    }
)


class SlackRefusal(Exception):
    """A call that Slack answers with `ok: false`: the error word and what else stands in the answer."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


@dataclass(slots=True)
class User:
    """One account. A guest has `is_restricted`; `is_bot` marks an app's bot user.

    Somebody of another organisation has its `team_id`, and `is_stranger` where no channel is shared; on Enterprise Grid
    everybody has an `enterprise_id`. Of somebody who is not `visible` Slack tells nothing.
    """

    id: str
    name: str
    real_name: str = ""
    team_id: str = TEAM_ID
    enterprise_id: str | None = None
    is_stranger: bool = False
    visible: bool = True
    is_admin: bool = False
    is_owner: bool = False
    is_primary_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    tz: str = "Europe/Berlin"

    def json(self) -> Json:
        real_name = self.real_name or self.name
        shown = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "tz_offset": 3600,
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_primary_owner,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "profile": {"real_name": real_name, "display_name": self.name, "team": self.team_id},
        }
        if self.team_id != TEAM_ID:
            shown["is_stranger"] = self.is_stranger
        return shown if self.enterprise_id is None else shown | {"enterprise_user": self._in_enterprise()}

    def _in_enterprise(self) -> Json:
        return {
            "id": self.id,
            "enterprise_id": self.enterprise_id,
            "enterprise_name": f"Organisation {self.enterprise_id}",
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "teams": [self.team_id],
        }


@dataclass(slots=True)
class UserGroup:
    """A group such as @finance; `users` are user ids."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False

    def json(self, include_users: bool) -> Json:
        shown: Json = {
            "id": self.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "handle": self.handle,
            "name": self.name,
            "date_delete": 1 if self.disabled else 0,
            "user_count": len(self.users),
        }
        return shown | ({"users": list(self.users)} if include_users else {})


@dataclass(slots=True)
class Channel:
    """A public or private channel, or the direct messages with one person (`im_with`)."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)
    im_with: str | None = None

    @property
    def public(self) -> bool:
        return not self.private and self.im_with is None

    def has_bot(self) -> bool:
        return BOT_USER_ID in self.members

    def json(self) -> Json:
        if self.im_with is not None:
            return {
                "id": self.id,
                "is_im": True,
                "is_archived": False,
                "user": self.im_with,
                "context_team_id": TEAM_ID,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_archived": self.archived,
            "is_general": self.id == GENERAL_CHANNEL,
            "is_member": self.has_bot(),
            "num_members": len(self.members),
            "context_team_id": TEAM_ID,
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """What a message said before it was changed, and the `ts` of the change."""

    ts: str
    text: str
    blocks: list[Json]
    metadata: Json | None


@dataclass(slots=True)
class Message:
    """A message in a channel; with `visible_to`, an ephemeral one that only this user sees and no method reads back."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    bot_id: str | None = None
    metadata: Json | None = None
    thread_ts: str | None = None
    reply_broadcast: bool = False
    visible_to: str | None = None
    edits: list[Edit] = field(default_factory=list)
    deleted: bool = False
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)

    @property
    def changes(self) -> tuple[int, bool]:
        """What differs once anything about it has changed."""
        return len(self.edits), self.deleted

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def in_channel(self) -> bool:
        """True where the channel itself shows it, not only a thread."""
        return not self.is_reply or self.reply_broadcast

    def change(self, ts: str, text: str, blocks: list[Json], metadata: Json | None) -> None:
        """Replace what it says, keeping what it said."""
        self.edits.append(Edit(ts, self.text, self.blocks, self.metadata))
        self.text, self.blocks, self.metadata = text, blocks, metadata

    def json(self, all_metadata: bool = True) -> Json:
        shown: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": TEAM_ID}
        if self.bot_id is not None:
            shown |= {"bot_id": self.bot_id, "app_id": APP_ID}
        if self.blocks:
            shown["blocks"] = deepcopy(self.blocks)
        if self.attachments:
            shown["attachments"] = deepcopy(self.attachments)
        if self.files:
            shown["files"] = deepcopy(self.files)
        if self.thread_ts is not None:
            shown["thread_ts"] = self.thread_ts
        if self.is_reply and self.reply_broadcast:
            shown["subtype"] = "thread_broadcast"
        if self.edits and not self.blocks:
            shown["edited"] = {"user": self.user, "ts": self.edits[-1].ts}
        if self.metadata is not None:
            whole = deepcopy(self.metadata)
            shown["metadata"] = whole if all_metadata else {"event_type": whole["event_type"]}
        return shown


@dataclass(slots=True)
class View:
    """A modal or a Home tab as one user sees it. `content` is what the app sent; `hash` changes with each change."""

    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    is_open: bool = True
    trigger_id: str | None = None
    edits: list[Json] = field(default_factory=list)

    @property
    def type(self) -> str:
        return str(self.content.get("type", "modal"))

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.content["blocks"]
        return blocks

    def json(self, values: Json | None = None) -> Json:
        defaults: Json = {"callback_id": "", "private_metadata": "", "external_id": "", "close": None, "submit": None}
        return (
            defaults
            | {"clear_on_close": False, "notify_on_close": False, "title": None}
            | deepcopy(self.content)
            | {
                "id": self.id,
                "team_id": TEAM_ID,
                "app_id": APP_ID,
                "app_installed_team_id": TEAM_ID,
                "bot_id": BOT_ID,
                "hash": self.hash,
                "root_view_id": self.root_id,
                "previous_view_id": self.previous_id,
                "state": {"values": values or {}},
            }
        )


@dataclass(slots=True)
class File:
    """One uploaded file; `content` is None until its bytes arrived."""

    id: str
    name: str
    length: int
    secret: str
    content: bytes | None = None
    title: str = ""

    def json(self) -> Json:
        link = f"https://{TEAM_DOMAIN}.slack.com/files/{BOT_USER_ID}/{self.id}/{self.name}"
        return {"id": self.id, "name": self.name, "title": self.title or self.name, "permalink": link}


@dataclass(slots=True)
class Files:
    """The workspace's files; `url` gives the server's base address."""

    url: Callable[[], str]
    by_id: dict[str, File]

    def reserve(self, file_id: str, name: str, length: int) -> str:
        """The address that takes the file's bytes."""
        self.by_id[file_id] = File(file_id, name, length, token_hex(8))
        return f"{self.url()}/upload/{file_id}/{self.by_id[file_id].secret}"

    def receive(self, file_id: str, secret: str, content: bytes) -> bool:
        """Take the bytes; False where the address is unknown or the length is not the announced one."""
        file = self.by_id.get(file_id)
        if file is None or file.secret != secret or len(content) != file.length:
            return False
        file.content = content
        return True


@dataclass(slots=True)
class Workspace:
    """Everything the simulated workspace remembers. `now` gives the time messages are stamped with.

    `enterprise_id` is the organisation it belongs to on Enterprise Grid.
    """

    now: Callable[[], datetime]
    enterprise_id: str | None = None
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    posted: list[Message] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    _last_micros: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def next_ts(self) -> str:
        """A message stamp, "seconds.micros": now, yet always later than the one before."""
        self._last_micros = max(int(self.now().timestamp() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def next_id(self, letter: str) -> str:
        """A fresh id such as "V0000000042"."""
        return f"{letter}{next(self._numbers):010d}"

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def add_channel(
        self,
        name: str,
        *,
        channel_id: str = "",
        private: bool = False,
        archived: bool = False,
        members: tuple[str, ...] = (),
    ) -> Channel:
        """A new channel; the bot is in it only where `members` names it."""
        channel = Channel(channel_id or self.next_id("C"), name.removeprefix("#"), private, archived, set(members))
        self.channels[channel.id] = channel
        return channel

    def find_channel(self, name_or_id: str) -> Channel | None:
        """By id, "#name" or name; of several channels of one name, one that is not archived."""
        if name_or_id in self.channels:
            return self.channels[name_or_id]
        name = name_or_id.removeprefix("#")
        named = [each for each in self.channels.values() if each.im_with is None and each.name == name]
        return min(named, key=lambda each: each.archived, default=None)

    def direct_messages_with(self, user_id: str) -> Channel:
        """The conversation between the bot and this person, opened when it does not exist yet."""
        for channel in self.channels.values():
            if channel.im_with == user_id:
                return channel
        opened = Channel(self.next_id("D"), "", members={BOT_USER_ID, user_id}, im_with=user_id)
        self.channels[opened.id] = opened
        return opened

    def post(self, message: Message) -> Message:
        """Keep the message; every block gets a `block_id` as Slack gives it one."""
        message.blocks = with_block_ids(message.blocks)
        self.posted.append(message)
        return message

    def find_message(self, channel_id: str, ts: str) -> Message | None:
        """A message that methods can address: not an ephemeral one, not a deleted one."""
        for message in self.visible(channel_id):
            if message.ts == ts:
                return message
        return None

    def visible(self, channel_id: str) -> list[Message]:
        """Every message and reply of the channel that everybody in it sees, oldest first."""
        return [
            each for each in self.posted if each.channel == channel_id and not each.deleted and each.visible_to is None
        ]

    def replies(self, parent: Message) -> list[Message]:
        """The thread under the message, oldest first, without the message itself."""
        return [each for each in self.visible(parent.channel) if each.is_reply and each.thread_ts == parent.ts]

    def open_views(self, user_id: str) -> list[View]:
        """The modals the user has open, the one on top last."""
        return [each for each in self.views.values() if each.user == user_id and each.is_open and each.type == "modal"]

    def home(self, user_id: str) -> View | None:
        """The Home tab as last published for this user."""
        homes = (each for each in self.views.values() if each.user == user_id and each.type == "home")
        return next(homes, None)


def with_block_ids(blocks: list[Json]) -> list[Json]:
    """Copies of the blocks in which those without a `block_id` got one."""
    return [{"block_id": token_hex(3), **deepcopy(block)} for block in blocks]


def sandbox_workspace(now: Callable[[], datetime]) -> Workspace:
    """Three people, the bot, a user group, #voice-spend and #voice-ops with the bot in them, #general without it."""
    workspace = Workspace(now)
    for user in (
        User(ADMIN, "ada", "Ada Admin", is_admin=True, is_owner=True),
        User(MEMBER, "mo", "Mo Member"),
        User(GUEST, "gil", "Gil Guest", is_restricted=True),
        User(BOT_USER_ID, "agent-usage", "Agent Usage", is_bot=True),
    ):
        workspace.add_user(user)
    workspace.groups["S0FINANCE1"] = UserGroup("S0FINANCE1", "finance", "Finance", [ADMIN])
    workspace.add_channel("voice-spend", channel_id=SPEND_CHANNEL, members=(ADMIN, MEMBER, BOT_USER_ID))
    workspace.add_channel("voice-ops", channel_id=OPERATIONS_CHANNEL, members=(ADMIN, BOT_USER_ID))
    workspace.add_channel("general", channel_id=GENERAL_CHANNEL, members=(ADMIN, MEMBER, GUEST))
    return workspace
