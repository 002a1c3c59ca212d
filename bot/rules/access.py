"""Who may do what: one table of rights, and the judgement whether a person has one. Pure.

In a channel shared with another organisation its people see the bot's messages, and their clicks arrive like any other
(https://docs.slack.dev/apis/slack-connect). A person is one of the bot's own where the payload and users.info
(https://docs.slack.dev/reference/methods/users.info) both allow it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from bot.rules.models import Access

OUTSIDER: Final = "You belong to another workspace or organisation, and this bot answers only its own people."
UNKNOWN: Final = "Slack does not say that you belong here, so the bot shows you nothing."
GUEST: Final = "Guests can't ask for usage here; the `access` part of rules.yaml says who can."
NO_VIEWER: Final = "You are not among the viewers; the `access` part of rules.yaml says who they are."
NO_EDITOR: Final = "Only editors may {}; the `access` part of rules.yaml says who they are."


class Role(StrEnum):
    """Who has a right, as `access` in rules.yaml calls them. Editors may do whatever viewers may."""

    VIEWERS = "viewers"
    EDITORS = "editors"


class Right(StrEnum):
    """What somebody may be allowed to do, in words that follow "may"."""

    ASK = "ask"
    SHARE = "share an answer"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    UNDO = "undo what they did"
    UNDO_OTHERS = "undo what somebody else did"
    EDIT_RULES = "edit rules"
    RAISE_UNTIL = "raise a threshold for a while"
    UNDO_RULES = "take back an edit of the rules"
    TEST = "send a test"
    REPORT = "send a report"
    CALL_WEBHOOK = "call a webhook"
    STOP_DIALLING = "stop dialling"


RIGHTS: Final[Mapping[Right, Role]] = MappingProxyType(
    {
        Right.ASK: Role.VIEWERS,
        Right.SHARE: Role.VIEWERS,
        Right.ACKNOWLEDGE: Role.VIEWERS,
        Right.SNOOZE: Role.VIEWERS,
        Right.UNDO: Role.VIEWERS,
        Right.UNDO_OTHERS: Role.EDITORS,
        Right.EDIT_RULES: Role.EDITORS,
        Right.RAISE_UNTIL: Role.EDITORS,
        Right.UNDO_RULES: Role.EDITORS,
        Right.TEST: Role.EDITORS,
        Right.REPORT: Role.EDITORS,
        Right.CALL_WEBHOOK: Role.EDITORS,
        Right.STOP_DIALLING: Role.EDITORS,
    }
)
"""The whole table: a right, and who has it. Whoever is neither a viewer nor an editor has none."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the bot is installed, as auth.test says; `enterprise_id` on Enterprise Grid alone."""

    team_id: str
    enterprise_id: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something, as the payload says; what it leaves out is None."""

    id: str
    team_id: str | None = None
    enterprise_id: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What users.info says of a person. `is_admin` and `is_guest` are about the person's own workspace."""

    team_id: str | None = None
    enterprise_id: str | None = None
    teams: frozenset[str] = frozenset()
    is_stranger: bool = False
    is_deleted: bool = False
    is_guest: bool = False
    is_admin: bool = False
    is_enterprise_admin: bool = False


NOBODY: Final = Profile(is_deleted=True)
"""Of whom Slack says that there is no such person, or that the bot does not see them."""

Members = Mapping[str, frozenset[str]]
"""The people of each user group that Slack was asked about."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether somebody may do something. `refusal` is None where they may, else one sentence for them that says why."""

    refusal: str | None = None

    @property
    def allows(self) -> bool:
        return self.refusal is None


ALLOWED: Final = Ruling()


def workspace_of(answer: Mapping[str, Any]) -> Workspace:
    """The workspace in an answer of auth.test. Raises ValueError where it names none."""
    if not (team := _text(answer.get("team_id"))):
        raise ValueError("auth.test names no team_id")
    return Workspace(team, _text(answer.get("enterprise_id")))


def profile_of(answer: Mapping[str, Any]) -> Profile:
    """The person in an answer of users.info. Raises ValueError where it holds none."""
    user = _part(answer, "user")
    if not user:
        raise ValueError("users.info holds no user")
    there = _part(user, "enterprise_user")
    return Profile(
        team_id=_text(user.get("team_id")),
        enterprise_id=_text(there.get("enterprise_id")),
        teams=_teams(there.get("teams")),
        is_stranger=bool(user.get("is_stranger")),
        is_deleted=bool(user.get("deleted")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_admin=_is_admin(user),
        is_enterprise_admin=_is_admin(there),
    )


def _teams(listed: object) -> frozenset[str]:
    return frozenset(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else frozenset()


def is_outsider(person: Person, workspace: Workspace) -> bool:
    """Whether the payload alone tells that this person belongs elsewhere; no look-up is needed then."""
    return _said_by_payload(person, workspace) is False


def judge(
    person: Person, profile: Profile, workspace: Workspace, access: Access, right: Right, members: Members
) -> Ruling | None:
    """Whether this person has the right; None where that depends on a user group that is not among the `members`."""
    if refusal := _stranger(person, profile, workspace):
        return Ruling(refusal)
    listed = _is_listed(person, profile, workspace, names_with(right, access), members)
    if listed is None:
        return None
    return ALLOWED if listed else Ruling(_why_not(profile, right))


def names_with(right: Right, access: Access) -> tuple[str, ...]:
    """The names in rules.yaml of those who have the right."""
    return access.editors if RIGHTS[right] is Role.EDITORS else (*access.viewers, *access.editors)


def groups_among(names: Collection[str]) -> list[str]:
    """The user groups among these names, each once."""
    return [name for name in dict.fromkeys(names) if name.startswith("S")]


def _stranger(person: Person, profile: Profile, workspace: Workspace) -> str | None:
    """Why this is none of the bot's own people; None where it is one."""
    if is_outsider(person, workspace):
        return OUTSIDER
    if profile.is_deleted:
        return UNKNOWN
    by_slack = _is_ours(profile.team_id, profile.enterprise_id, workspace)
    if profile.is_stranger or by_slack is False:
        return OUTSIDER
    return None if by_slack or _said_by_payload(person, workspace) else UNKNOWN


def _said_by_payload(person: Person, workspace: Workspace) -> bool | None:
    """As `_is_ours`. A click names no organisation: on Enterprise Grid another workspace may still be one of ours."""
    said = _is_ours(person.team_id, person.enterprise_id, workspace)
    return None if said is False and workspace.enterprise_id and not person.enterprise_id else said


def _is_ours(team_id: str | None, enterprise_id: str | None, workspace: Workspace) -> bool | None:
    """Whether somebody of this workspace and organisation is one of ours; None where neither is told."""
    if workspace.enterprise_id and enterprise_id:
        return enterprise_id == workspace.enterprise_id
    if team_id in _ours(workspace):
        return True
    return False if team_id or enterprise_id else None


def _ours(workspace: Workspace) -> set[str | None]:
    """What stands where a person's workspace is named: for somebody of a whole organisation that is its id."""
    return {workspace.team_id, workspace.enterprise_id or workspace.team_id}


def _is_listed(
    person: Person, profile: Profile, workspace: Workspace, names: tuple[str, ...], members: Members
) -> bool | None:
    """A guest is listed by the own id alone; None where a user group decides whose members are not known."""
    if person.id in names:
        return True
    if profile.is_guest:
        return False
    if "everyone" in names or ("admins" in names and _administers(profile, workspace)):
        return True
    groups = groups_among(names)
    if any(person.id in members.get(group, ()) for group in groups):
        return True
    return None if any(group not in members for group in groups) else False


def _administers(profile: Profile, workspace: Workspace) -> bool:
    """Whether the person is an admin where the bot is; being one of another workspace says nothing."""
    is_here = profile.team_id is None or not _ours(workspace).isdisjoint({profile.team_id, *profile.teams})
    return profile.is_enterprise_admin or (profile.is_admin and is_here)


def _why_not(profile: Profile, right: Right) -> str:
    if profile.is_guest:
        return GUEST
    return NO_EDITOR.format(right) if RIGHTS[right] is Role.EDITORS else NO_VIEWER


def _is_admin(user: Mapping[str, Any]) -> bool:
    return bool(user.get("is_admin") or user.get("is_owner") or user.get("is_primary_owner"))


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
