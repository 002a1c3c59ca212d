"""What every part of the simulated Slack shares: the workspace, the tokens, the triggers, and news of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

from bot.sandbox.changes import Changes
from bot.sandbox.faults import Faults
from bot.sandbox.slack.workspace import ALL_SCOPES, Files, SlackRefusal, Workspace

TRIGGER_SECONDS = 3.0


@dataclass(slots=True)
class Credentials:
    """The app's tokens and secret as Slack knows them, made anew each time, and what the bot token was granted."""

    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{token_hex(16)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-A0AGENTUSE-{token_hex(16)}")
    signing_secret: str = field(default_factory=lambda: token_hex(16))
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    revoked: set[str] = field(default_factory=set)

    def require_scope(self, *any_of: str) -> None:
        """Refuse with `missing_scope` unless one of these scopes was granted."""
        if not self.scopes.intersection(any_of):
            raise SlackRefusal("missing_scope", needed=",".join(any_of), provided=",".join(sorted(self.scopes)))


@dataclass(slots=True)
class Trigger:
    """Permission to open one modal: valid for three seconds from `issued_at`, once."""

    id: str
    user: str
    issued_at: float
    used: bool = False


@dataclass(slots=True)
class Triggers:
    """The triggers that were handed out."""

    clock: Callable[[], float]
    _issued: dict[str, Trigger] = field(default_factory=dict)

    def issue(self, user: str) -> str:
        trigger = Trigger(f"{len(self._issued) + 1}.{token_hex(8)}", user, self.clock())
        self._issued[trigger.id] = trigger
        return trigger.id

    def use(self, trigger_id: str) -> Trigger:
        """Take the trigger, or refuse it as unknown, used or too old."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise SlackRefusal("invalid_trigger_id")
        if trigger.used:
            raise SlackRefusal("exchanged_trigger_id")
        if self.clock() - trigger.issued_at > TRIGGER_SECONDS:
            raise SlackRefusal("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass(slots=True)
class Platform:
    """`clock` counts seconds for Slack's own limits (3 s, 30 min); the workspace's `now` stamps messages."""

    workspace: Workspace
    credentials: Credentials
    clock: Callable[[], float]
    triggers: Triggers
    files: Files
    faults: Faults = field(default_factory=Faults)
    changes: Changes = field(default_factory=Changes)
