"""What Slack sends, as frozen values. Pure: a payload is read once, by the dispatcher, or is refused as unreadable.

The signature says that Slack sent it, not that it is harmless: ids go into messages, log lines, rows and Slack's
methods, so whatever is taken from a payload has the form that Slack gives it. What a payload holds:
https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload,
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
)
from pydantic import ValidationError as Mistakes

from bot.model import Act
from bot.rules.access import Person

MOST_TYPED: Final = 1_000  # characters
_LONGEST_NAME: Final = 255  # characters of an action_id or a callback_id


class UnreadableError(ValueError):
    """A payload that Slack does not send; the text says which and where, and nothing of what stood there."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


def _encodable(text: str) -> str:
    """JSON can hold half a character, which no answer and no row can."""
    text.encode()
    return text


def _id(letters: str) -> Any:
    return Field(pattern=rf"^[{letters}][A-Z0-9]{{1,30}}$")


def _at(*places: str) -> Any:
    """The first of these places that the payload has: `user.id`, `actions.0.value`."""
    return AliasChoices(*(_path(*place.split(".")) for place in places))


def _path(first: str, *further: str) -> AliasPath:
    return AliasPath(first, *(int(each) if each.isdigit() else each for each in further))


UserId = Annotated[str, _id("UW")]
ChannelId = Annotated[str, _id("CDG")]
TeamId = Annotated[Annotated[str, _id("TE")] | None, BeforeValidator(lambda value: value or None)]
"""A workspace or an organisation; empty stands for none."""
TriggerId = Annotated[str, Field(pattern=r"^[0-9A-Za-z.]{1,100}$")]
Ts = Annotated[str, Field(pattern=r"^[0-9]{1,10}\.[0-9]{6}$")]
"""A moment by Slack's clock, in seconds since 1970."""
Name = Annotated[str, Field(max_length=_LONGEST_NAME), AfterValidator(_printable)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value), AfterValidator(_encodable)]
"""Any text, empty where Slack has null: an input that was left empty."""
Typed = Annotated[Text, AfterValidator(lambda text: text[:MOST_TYPED])]
"""What somebody typed, as far as it can mean something: what folds it takes quadratic time for accents upon accents."""


def _inputs(state: object) -> Mapping[tuple[str, str], str]:
    """What was typed, by block and action. Raises ValueError."""
    if not isinstance(state, dict):
        raise ValueError("no mapping")  # noqa: TRY004 pydantic takes a ValueError for a mistake
    return {
        (block, action): _encodable(one["value"])[:MOST_TYPED]
        for block, actions in state.items()
        if isinstance(actions, dict)
        for action, one in actions.items()
        if isinstance(one, dict) and isinstance(one.get("value"), str)
    }


class Payload(BaseModel):
    """Anything that Slack sends, and what is common to all of it. `kind` is Slack's type, `name` what was used."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    kind: Name = Field("", validation_alias="type")
    name: Name = Field("", validation_alias=_at("action_id", "callback_id", "view.callback_id"))
    user_id: UserId | None = Field(None, validation_alias=_at("user.id", "user_id"))
    team_id: TeamId = Field(None, validation_alias=_at("user.team_id"))
    enterprise_id: TeamId = Field(
        None, validation_alias=_at("user.enterprise_id", "user.enterprise_user.enterprise_id")
    )
    trigger_id: TriggerId | None = None
    response_url: Text = ""

    @property
    def person(self) -> Person | None:
        """Who did it; a click and a submission name the person's own workspace."""
        return Person(self.user_id, self.team_id, self.enterprise_id) if self.user_id else None


class Command(Payload):
    """A slash command. It names the workspace around the person."""

    name: Name = Field(validation_alias="command")
    text: Typed = ""
    user_id: UserId
    team_id: TeamId = None
    enterprise_id: TeamId = None
    trigger_id: TriggerId

    @property
    def act(self) -> Act:
        return Act(self.user_id, self.trigger_id)


class Click(Payload):
    """A button that was pressed, or an option that was chosen: `value` is what it bears.

    Only a click in a message names its channel and message, and has a response_url.
    """

    name: Name = Field(validation_alias=_at("actions.0.action_id"))
    value: Text = Field("", validation_alias=_at("actions.0.selected_option.value", "actions.0.value"))
    user_id: UserId = Field(validation_alias=_at("user.id"))
    trigger_id: TriggerId
    action_ts: Ts = Field(validation_alias=_at("actions.0.action_ts"))
    channel_id: ChannelId | None = Field(None, validation_alias=_at("container.channel_id"))
    message_ts: Ts | None = Field(None, validation_alias=_at("container.message_ts"))

    @property
    def act(self) -> Act:
        return Act(self.user_id, self.trigger_id, float(self.action_ts))


class Submission(Payload):
    """A modal that was submitted: its `metadata`, and the values of its inputs by block and action."""

    name: Name = Field("", validation_alias=_at("view.callback_id"))
    user_id: UserId = Field(validation_alias=_at("user.id"))
    trigger_id: TriggerId
    metadata: Text = Field("", validation_alias=_at("view.private_metadata"))
    blocks: list[Any] = Field([], validation_alias=_at("view.blocks"))
    inputs: Annotated[Mapping[tuple[str, str], str], PlainValidator(_inputs)] = Field(
        {}, validation_alias=_at("view.state.values")
    )

    @property
    def act(self) -> Act:
        return Act(self.user_id, self.trigger_id)

    def value(self, name: str) -> str:
        """What was typed into the input whose block and action have this name."""
        return self.inputs.get((name, name), "")

    @property
    def first_input(self) -> str | None:
        """The block id of the first input."""
        for block in self.blocks:
            match block:
                case {"type": "input", "block_id": str(block_id)}:
                    return block_id
        return None


class Event(Payload):
    """An event. Some are of nobody's doing."""

    name: Name = Field(validation_alias=_at("event.type"))
    user_id: UserId | None = Field(None, validation_alias=_at("event.user.id", "event.user"))
    team_id: TeamId = Field(None, validation_alias=_at("event.user.team_id", "team_id"))
    enterprise_id: TeamId = Field(None, validation_alias=_at("event.user.enterprise_id", "enterprise_id"))


class Verification(Payload):
    """Slack asks whether this is the app's address (https://docs.slack.dev/reference/events/url_verification)."""

    challenge: Text


_KINDS: Final[Mapping[str, type[Payload]]] = {
    "block_actions": Click,
    "view_submission": Submission,
    "url_verification": Verification,
}


def read(body: object) -> Payload:
    """The payload that this is. Raises UnreadableError."""
    if not isinstance(body, Mapping):
        raise UnreadableError(type(body).__name__)
    kind = _kind(body)
    try:
        return kind.model_validate(body)
    except Mistakes as mistakes:
        first = mistakes.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        raise UnreadableError(f"{kind.__name__.lower()}, {place}: {first['type']}") from None


def _kind(body: Mapping[str, Any]) -> type[Payload]:
    if "command" in body:
        return Command
    if "event" in body:
        return Event
    return _KINDS.get(str(body.get("type")), Payload)
