"""What came of one thing a person did: the acknowledgement, the answers, the views it opened."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import Json, Message, View

EXPIRY_SECONDS = 30 * 60
MOST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One visible answer: the message it made or changed, how it came (ack or response_url), seconds since the act."""

    message: Message
    source: str
    seconds: float
    body: Json
    replaced: bool = False

    @property
    def text(self) -> str:
        return str(self.body.get("text") or "")

    @property
    def blocks(self) -> list[Json]:
        return self.message.blocks

    @property
    def response_type(self) -> str:
        return "in_channel" if self.message.visible_to is None else "ephemeral"


@dataclass(slots=True)
class Interaction:
    """A command, a click, a submission or an opened Home tab, and what the app made of it.

    `error` is what the person sees where it failed: "operation_timeout" (no acknowledgement in 3 s), "dispatch_failed"
    (nobody listened, or an HTTP status other than 200), "invalid_command_response" (an unusable body). `errors` are the
    words that a submission was refused with, by block id; `sent` is the payload and its kind.
    """

    platform: Platform
    kind: str
    user: str
    channel: str | None
    started: float
    source: Message | None = None
    trigger_id: str = ""
    response_url: str = ""
    acknowledged: bool = False
    ack_seconds: float | None = None
    ack_body: Json | str | None = None
    http_status: int | None = None
    error: str | None = None
    answers: list[Answer] = field(default_factory=list)
    view_id: str | None = None
    view_hash: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    posts_to_response_url: int = 0
    sent: tuple[str, Json] | None = None

    async def answer(self, timeout: float = 5.0) -> Answer:
        """The first visible answer; waits for it."""
        return (await self.answers_so_far(1, timeout))[0]

    async def answers_so_far(self, at_least: int, timeout: float = 5.0) -> list[Answer]:
        """Every visible answer, once there are `at_least` so many."""

        def enough() -> list[Answer] | None:
            return list(self.answers) if len(self.answers) >= at_least else None

        return await self.platform.changes.until(
            enough, timeout, f"answer {at_least} to the {self.kind} ({self.error})"
        )

    async def view(self, timeout: float = 5.0) -> View:
        """The view this act opened, changed, pushed or published; waits for it."""
        views = self.platform.workspace.views

        def opened() -> View | None:
            return next((each for each in views.values() if self._made(each)), None)

        return await self.platform.changes.until(opened, timeout, f"a view after the {self.kind} ({self.error})")

    def _made(self, view: View) -> bool:
        """Opened with this act's trigger, or the view acted in (after "home" the person's Home tab) with a new hash."""
        is_home = self.kind == "home" and view.type == "home" and view.user == self.user
        acted_in = is_home or view.id == self.view_id
        return view.trigger_id == self.trigger_id or (acted_in and view.hash != self.view_hash)
