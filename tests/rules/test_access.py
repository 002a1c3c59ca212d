"""Who may do what: one table, and who counts as one of the bot's own people."""

from __future__ import annotations

from typing import Any

import pytest

from bot.rules.access import (
    ALLOWED,
    GUEST,
    NO_EDITOR,
    NO_VIEWER,
    NOBODY,
    OUTSIDER,
    RIGHTS,
    UNKNOWN,
    Person,
    Profile,
    Right,
    Role,
    Ruling,
    Workspace,
    is_outsider,
    judge,
    profile_of,
    workspace_of,
)
from bot.rules.models import Access

HERE = Workspace("T0OURS")
ON_GRID = Workspace("T0OURS", "E0OURS")
ANNA = "U0ANNA"
ANNA_HERE = Person(ANNA, "T0OURS")
EVERYONE = Access()
MEMBER = Profile(team_id="T0OURS")
GUEST_THERE = Profile(team_id="T0OURS", is_guest=True)
ADMIN = Profile(team_id="T0OURS", is_admin=True)
ADMIN_ELSEWHERE = Profile(team_id="T0OTHER", is_admin=True)


def ruling(
    profile: Profile,
    right: Right = Right.ASK,
    access: Access = EVERYONE,
    person: Person = ANNA_HERE,
    workspace: Workspace = HERE,
    **members: tuple[str, ...],
) -> Ruling | None:
    groups = {group: frozenset(people) for group, people in members.items()}
    return judge(person, profile, workspace, access, right, groups)


def test_every_right_is_in_the_table() -> None:
    assert set(RIGHTS) == set(Right)


@pytest.mark.parametrize("right", Right)
def test_a_viewer_has_a_viewers_rights_and_an_editor_has_all(right: Right) -> None:
    viewers_alone = ALLOWED if RIGHTS[right] is Role.VIEWERS else Ruling(NO_EDITOR.format(right))
    assert ruling(MEMBER, right) == viewers_alone
    assert ruling(ADMIN, right) == ALLOWED
    assert ruling(MEMBER, right, Access(viewers=("U0ELSE",), editors=(ANNA,))) == ALLOWED


def test_whoever_asks_shares_acknowledges_snoozes_and_undoes_what_they_did_is_a_viewer() -> None:
    viewers = {right for right, role in RIGHTS.items() if role is Role.VIEWERS}
    assert viewers == {Right.ASK, Right.SHARE, Right.ACKNOWLEDGE, Right.SNOOZE, Right.UNDO}


@pytest.mark.parametrize(
    ("profile", "access", "refusal"),
    [
        pytest.param(MEMBER, Access(), None, id="everyone"),
        pytest.param(GUEST_THERE, Access(), GUEST, id="a guest is not everyone"),
        pytest.param(GUEST_THERE, Access(viewers=(ANNA,)), None, id="a guest who is listed"),
        pytest.param(GUEST_THERE, Access(viewers=("everyone", ANNA)), None, id="a guest who is listed beside everyone"),
        pytest.param(GUEST_THERE, Access(viewers=("S0TEAM",)), GUEST, id="a guest in a group that is listed"),
        pytest.param(MEMBER, Access(viewers=("admins",)), NO_VIEWER, id="a member is called no guest"),
        pytest.param(MEMBER, Access(viewers=("U0BEN",)), NO_VIEWER, id="a member who is not listed"),
        pytest.param(MEMBER, Access(viewers=()), NO_VIEWER, id="nobody is listed"),
        pytest.param(MEMBER, Access(viewers=("S0TEAM",)), None, id="a member of a group that is listed"),
        pytest.param(MEMBER, Access(viewers=("S0ELSE",)), NO_VIEWER, id="a member of another group"),
        pytest.param(ADMIN, Access(viewers=("admins",)), None, id="an admin"),
        pytest.param(ADMIN, Access(viewers=("U0BEN",)), None, id="an editor may whatever viewers may"),
        pytest.param(ADMIN, Access(viewers=("U0BEN",), editors=()), NO_VIEWER, id="an admin who is no editor"),
        pytest.param(NOBODY, Access(viewers=(ANNA,)), UNKNOWN, id="nobody that Slack knows"),
        pytest.param(Profile("T0OURS", is_deleted=True), Access(viewers=(ANNA,)), UNKNOWN, id="deactivated"),
    ],
)
def test_who_may_ask(profile: Profile, access: Access, refusal: str | None) -> None:
    assert ruling(profile, access=access, S0TEAM=(ANNA,), S0ELSE=()) == Ruling(refusal)


@pytest.mark.parametrize("viewers", [("everyone",), ("admins",), (ANNA,), ("S0TEAM",)], ids=str)
@pytest.mark.parametrize(
    ("person", "profile"),
    [
        pytest.param(Person(ANNA, "T0OTHER"), ADMIN_ELSEWHERE, id="of another workspace"),
        pytest.param(Person(ANNA, "T0OTHER"), ADMIN, id="by the payload alone"),
        pytest.param(Person(ANNA, "T0OURS"), ADMIN_ELSEWHERE, id="by Slack alone"),
        pytest.param(Person(ANNA), ADMIN_ELSEWHERE, id="by Slack, the payload names no workspace"),
        pytest.param(Person(ANNA, "T0OURS"), Profile("T0OURS", is_stranger=True, is_admin=True), id="a stranger"),
        pytest.param(Person(ANNA, None, "E0OTHER"), ADMIN, id="of another organisation"),
        pytest.param(Person(ANNA, "T0OURS"), Profile(None, "E0OTHER"), id="of another organisation, by Slack"),
    ],
)
def test_nobody_of_another_organisation_has_any_right_however_listed(
    person: Person, profile: Profile, viewers: tuple[str, ...]
) -> None:
    access = Access(viewers=viewers, editors=viewers)
    for right in Right:
        assert ruling(profile, right, access, person, S0TEAM=(ANNA,)) == Ruling(OUTSIDER)


@pytest.mark.parametrize(
    ("person", "profile", "refusal"),
    [
        pytest.param(Person(ANNA, "T0OURS", "E0OURS"), Profile("T0OURS", "E0OURS"), None, id="of the bot's workspace"),
        pytest.param(Person(ANNA, "T0SISTER"), Profile("T0SISTER", "E0OURS"), None, id="of another one of the grid"),
        pytest.param(Person(ANNA, "T0SISTER", "E0OURS"), Profile("T0SISTER", "E0OURS"), None, id="in a command there"),
        pytest.param(Person(ANNA, "E0OURS"), Profile("E0OURS", "E0OURS"), None, id="of the organisation as a whole"),
        pytest.param(Person(ANNA), Profile("T0SISTER", "E0OURS"), None, id="where the payload tells nothing"),
        pytest.param(Person(ANNA, "T0OURS"), Profile(), None, id="where Slack tells nothing"),
        pytest.param(Person(ANNA), Profile(), UNKNOWN, id="where nobody tells anything"),
        pytest.param(Person(ANNA, "T0SISTER"), Profile(), UNKNOWN, id="another workspace, and no more is told"),
        pytest.param(Person(ANNA, "T0OTHER"), Profile("T0OTHER"), OUTSIDER, id="of no grid"),
        pytest.param(Person(ANNA, "T0OTHER"), Profile("T0OTHER", "E0OTHER"), OUTSIDER, id="of another grid"),
        pytest.param(
            Person(ANNA, "T0OURS", "E0OTHER"), Profile("T0OURS", "E0OURS"), OUTSIDER, id="a grid's id decides"
        ),
        pytest.param(Person(ANNA, "T0OURS"), Profile("T0OURS", "E0OTHER"), OUTSIDER, id="also where Slack tells it"),
    ],
)
def test_on_enterprise_grid_the_organisation_decides(person: Person, profile: Profile, refusal: str | None) -> None:
    assert ruling(profile, person=person, workspace=ON_GRID) == Ruling(refusal)


@pytest.mark.parametrize(
    ("profile", "refusal"),
    [
        pytest.param(Profile("T0OURS", "E0OURS", is_admin=True), None, id="of the bot's workspace"),
        pytest.param(Profile("T0SISTER", "E0OURS", is_admin=True), NO_VIEWER, id="of another workspace of the grid"),
        pytest.param(Profile("T0SISTER", "E0OURS", frozenset({"T0OURS"}), is_admin=True), None, id="in both"),
        pytest.param(Profile("T0SISTER", "E0OURS", is_enterprise_admin=True), None, id="of the whole organisation"),
    ],
)
def test_on_enterprise_grid_admins_are_those_of_the_bots_workspace(profile: Profile, refusal: str | None) -> None:
    person = Person(ANNA, profile.team_id)
    access = Access(viewers=("admins",))
    assert ruling(profile, access=access, person=person, workspace=ON_GRID) == Ruling(refusal)


@pytest.mark.parametrize(
    ("person", "workspace", "outsider"),
    [
        (Person(ANNA, "T0OURS"), HERE, False),
        (Person(ANNA, "T0OTHER"), HERE, True),
        (Person(ANNA), HERE, False),
        (Person(ANNA, None, "E0OTHER"), HERE, True),
        (Person(ANNA, "T0OURS", "E0NEW"), HERE, False),  # the workspace has joined a grid since the bot started
        (Person(ANNA, "T0OTHER"), ON_GRID, False),  # of another workspace, which may be of the same grid
        (Person(ANNA, "T0OTHER", "E0OTHER"), ON_GRID, True),
        (Person(ANNA, "T0OTHER", "E0OURS"), ON_GRID, False),
    ],
)
def test_what_the_payload_alone_tells(person: Person, workspace: Workspace, outsider: bool) -> None:
    assert is_outsider(person, workspace) is outsider


def test_a_group_is_asked_for_only_where_it_decides() -> None:
    by_group = Access(viewers=("S0TEAM",), editors=())
    assert ruling(MEMBER, access=by_group) is None
    assert ruling(GUEST_THERE, access=by_group) == Ruling(GUEST)
    assert ruling(ADMIN_ELSEWHERE, access=by_group) == Ruling(OUTSIDER)
    assert ruling(MEMBER, access=Access(viewers=("S0TEAM", "everyone"))) == ALLOWED
    assert ruling(MEMBER, access=Access(viewers=("S0TEAM", "S0MORE"), editors=()), S0MORE=(ANNA,)) == ALLOWED
    assert ruling(MEMBER, access=Access(viewers=("S0TEAM", "S0MORE"), editors=()), S0MORE=()) is None


def test_answers_of_slack_are_read_as_it_sends_them() -> None:
    user: dict[str, Any] = {
        "id": ANNA,
        "team_id": "T1",
        "deleted": False,
        "is_owner": True,
        "is_ultra_restricted": True,
        "enterprise_user": {"id": ANNA, "enterprise_id": "E1", "teams": ["T1", "T2"], "is_owner": True},
    }
    read = Profile("T1", "E1", frozenset({"T1", "T2"}), is_guest=True, is_admin=True, is_enterprise_admin=True)
    assert profile_of({"ok": True, "user": user}) == read
    assert profile_of({"user": {"team_id": "T0OTHER", "is_admin": True, "is_restricted": False}}) == ADMIN_ELSEWHERE
    assert workspace_of({"team_id": "T1", "enterprise_id": "E1"}) == Workspace("T1", "E1")
    assert workspace_of({"team_id": "T1"}) == Workspace("T1")


@pytest.mark.parametrize("teams", [5, "T1", None, [5, None, {}]], ids=repr)
def test_what_is_no_list_of_workspaces_names_none(teams: object) -> None:
    assert profile_of({"user": {"team_id": "T1", "enterprise_user": {"teams": teams}}}).teams == frozenset()


def test_incomplete_answers_are_refused() -> None:
    for read, answer in ((workspace_of, {"ok": True}), (profile_of, {"ok": True}), (profile_of, {"user": "U1"})):
        with pytest.raises(ValueError, match=r"auth\.test|users\.info"):
            read(answer)
