"""Who is let in, by what the simulated Slack says, does not say, and said before."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.rules.access import GUEST, NO_VIEWER, OUTSIDER, UNKNOWN, Person, Profile, Right, Workspace
from bot.rules.models import Access
from bot.sandbox.faults import Fault
from bot.sandbox.slack import SimulatedSlack
from bot.sandbox.slack import workspace as ids
from bot.sandbox.slack.workspace import ADMIN, MEMBER, TEAM_ID, User
from bot.sandbox.world import real_now
from bot.slack.people import BELIEVED, MOST, NO_SCOPE, PATIENCE, People
from bot.store.admissions import Admissions
from bot.store.database import open_database

EVERYONE = Access()
BY_GROUP = Access(viewers=("S0FINANCE1",), editors=())
STRANGER = "U0EXT0001"
GUEST_ID = ids.GUEST


@dataclass
class Asked:
    """People as one process of the bot knows them; `seconds` is its clock."""

    slack: SimulatedSlack
    admissions: Admissions
    people: People
    seconds: list[float]
    noted: list[asyncio.Task[None]] = field(default_factory=list)

    async def says(
        self, user: str, right: Right = Right.ASK, access: Access = EVERYONE, team: str | None = TEAM_ID
    ) -> str:
        """What this person is told who wants this; "" where it is allowed."""
        refusal = (await self.people.ruling(Person(user, team), right, access)).refusal or ""
        await asyncio.gather(*self.noted)
        return refusal

    def restarted(self) -> None:
        """As another process, which remembers nothing but what the database has; auth.test was answered to it."""
        self.people = people_of(self.slack, self.admissions, self.seconds, self.noted)

    def looked_up(self) -> list[str]:
        return [str(call.args["user"]) for call in self.slack.calls_of("users.info")]


def people_of(
    slack: SimulatedSlack, admissions: Admissions, seconds: list[float], noted: list[asyncio.Task[None]]
) -> People:
    def later(work: Coroutine[Any, Any, None]) -> None:
        noted.append(asyncio.create_task(work))

    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    people = People(client, admissions, later, lambda: seconds[0])
    people.workspace = Workspace(TEAM_ID)
    return people


@pytest.fixture
async def asked(sqlite_url: str) -> AsyncIterator[Asked]:
    database = open_database(sqlite_url)
    seconds, noted, admissions = [0.0], list[asyncio.Task[None]](), Admissions(database)
    async with SimulatedSlack(real_now) as slack:
        slack.workspace.add_user(User(STRANGER, "eve", team_id="T0OTHER", is_admin=True))
        yield Asked(slack, admissions, people_of(slack, admissions, seconds, noted), seconds, noted)
    await database.close()


DOWN = {
    "hangs": Fault("hang"),
    "drops": Fault("drop"),
    "answers 500": Fault("status", status=500),
    "is throttled": Fault("status", status=429, retry_after=30),
    "answers garbage": Fault("garbage"),
    "answers what is no JSON": Fault("answer", body="<html>"),
    "refuses without a word": Fault("answer", body='{"ok": false, "error": []}'),
    "refuses the token": Fault("refuse", error="token_revoked"),
    "says something new": Fault("refuse", error="a_word_of_tomorrow"),
}


async def test_the_scope_that_is_named_is_one_of_slacks(asked: Asked) -> None:
    hostile = {"ok": False, "error": "missing_scope", "needed": "<!channel>"}
    asked.slack.faults.add("users.info", Fault("answer", body=json.dumps(hostile)))
    assert await asked.says(MEMBER) == NO_SCOPE.format("users:read")


async def test_a_person_is_looked_up_once_in_five_minutes(asked: Asked) -> None:
    for _ in range(3):
        assert await asked.says(MEMBER) == ""
    assert asked.looked_up() == [MEMBER]
    asked.seconds[0] += BELIEVED
    assert await asked.says(MEMBER) == ""
    assert asked.looked_up() == [MEMBER, MEMBER]


async def test_where_slack_takes_its_time_a_viewer_of_a_group_is_let_in_within_two_tries(asked: Asked) -> None:
    for method in ("users.info", "usergroups.users.list"):
        asked.slack.faults.add(method, Fault("slow", seconds=PATIENCE + 0.1), times=None)
    asked.slack.workspace.groups["S0FINANCE1"].users.append(MEMBER)
    assert await asked.says(MEMBER, access=BY_GROUP) != ""
    await asyncio.sleep(PATIENCE)
    assert await asked.says(MEMBER, access=BY_GROUP) == ""
    assert asked.looked_up() == [MEMBER]


async def test_profile_and_groups_are_looked_up_side_by_side(asked: Asked) -> None:
    for method in ("users.info", "usergroups.users.list"):
        asked.slack.faults.add(method, Fault("slow", seconds=PATIENCE * 0.6), times=None)
    asked.slack.workspace.groups["S0FINANCE1"].users.append(MEMBER)
    assert await asked.says(MEMBER, access=BY_GROUP) == ""


async def test_who_left_the_group_of_editors_edits_no_more(asked: Asked) -> None:
    members = asked.slack.workspace.groups["S0FINANCE1"].users
    members.append(MEMBER)
    by_group = Access(editors=("S0FINANCE1",))
    assert await asked.says(MEMBER, Right.UNDO_OTHERS, by_group) == ""
    members.remove(MEMBER)
    assert await asked.says(MEMBER, Right.UNDO_OTHERS, by_group) != ""


async def test_whom_the_payload_gives_away_is_not_looked_up(asked: Asked) -> None:
    assert await asked.says(STRANGER, team="T0OTHER") == OUTSIDER
    assert asked.looked_up() == []


@pytest.mark.parametrize("access", [EVERYONE, Access(viewers=("admins", STRANGER)), BY_GROUP], ids=["all", "ids", "in"])
async def test_whom_slack_gives_away_is_refused_however_listed(asked: Asked, access: Access) -> None:
    asked.slack.workspace.groups["S0FINANCE1"].users.append(STRANGER)
    for team in (TEAM_ID, None):
        assert await asked.says(STRANGER, access=access, team=team) == OUTSIDER


async def test_an_own_person_whose_payload_names_no_workspace_is_let_in(asked: Asked) -> None:
    assert await asked.says(MEMBER, team=None) == ""


async def test_whom_slack_does_not_know_is_refused_alone(asked: Asked) -> None:
    asked.slack.workspace.users["U0HIDDEN1"] = User("U0HIDDEN1", "hidden", visible=False)
    asked.slack.workspace.users["U0LEFT001"] = User("U0LEFT001", "left", deleted=True)
    for unknown in ("U0NOBODY1", "U0HIDDEN1", "U0LEFT001"):
        assert await asked.says(unknown) == UNKNOWN
        assert await asked.says(unknown, access=Access(viewers=(unknown,))) == UNKNOWN
        assert await asked.says(GUEST_ID) == GUEST
    assert await asked.says(MEMBER) == ""


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
async def test_where_slack_does_not_answer_only_whoever_was_let_in_may_ask_and_nobody_may_edit(
    asked: Asked, fault: Fault
) -> None:
    assert await asked.says(ADMIN) == ""
    asked.seconds[0] += BELIEVED
    asked.slack.faults.add("users.info", fault, times=None)
    began = asyncio.get_running_loop().time()
    assert await asked.says(ADMIN) == ""
    assert await asked.says(ADMIN, Right.SNOOZE) == ""
    assert "so nobody may edit; try again soon." in await asked.says(ADMIN, Right.TEST)
    for never_seen in (MEMBER, GUEST_ID):
        told = await asked.says(never_seen)
        assert told.startswith("Slack does not say who you are at the moment (")
        assert "nothing is shown or changed" in told
    assert asyncio.get_running_loop().time() - began < 5 * PATIENCE + 1
    asked.slack.faults.clear()
    asked.seconds[0] += 31
    assert await asked.says(GUEST_ID) == GUEST
    assert await asked.says(ADMIN, Right.TEST) == ""


async def test_an_edit_is_asked_for_anew_each_time_also_right_after_the_last_one(asked: Asked) -> None:
    assert await asked.says(ADMIN, Right.EDIT_RULES) == ""
    asked.slack.workspace.users[ADMIN].is_admin = asked.slack.workspace.users[ADMIN].is_owner = False
    assert (await asked.says(ADMIN, Right.EDIT_RULES)).startswith("Only editors may edit rules")


async def test_before_a_retry_after_has_passed_slack_is_not_asked(asked: Asked) -> None:
    asked.slack.faults.add("users.info", Fault("status", status=429, retry_after=30))
    assert "ratelimited" in await asked.says(MEMBER)
    for seconds in (0, 20, 9):
        asked.seconds[0] += seconds
        assert await asked.says(MEMBER) != ""
        assert await asked.says(ADMIN) != ""
    assert len(asked.looked_up()) == 1
    asked.seconds[0] += 2
    assert await asked.says(MEMBER) == ""


async def test_who_was_let_in_is_known_after_a_restart_and_by_other_replicas(asked: Asked) -> None:
    assert await asked.says(MEMBER) == ""
    asked.restarted()
    asked.people.workspace = None
    asked.slack.faults.add("*", Fault("status", status=503), times=None)
    assert await asked.says(MEMBER) == ""
    assert "Slack does not say who you are" in await asked.says(ADMIN)
    asked.slack.faults.clear()
    assert await asked.says(STRANGER) == OUTSIDER  # auth.test is asked again before anybody is judged
    assert len(asked.slack.calls_of("auth.test")) > 0


@pytest.mark.parametrize("became", ["is_restricted", "deleted"])
async def test_who_lost_the_right_has_lost_it_for_an_outage_too(asked: Asked, became: str) -> None:
    assert await asked.says(MEMBER) == ""
    asked.seconds[0] += BELIEVED
    setattr(asked.slack.workspace.users[MEMBER], became, True)
    assert await asked.says(MEMBER) in (GUEST, UNKNOWN)
    asked.seconds[0] += BELIEVED
    asked.slack.faults.add("users.info", Fault("drop"), times=None)
    assert "Slack does not say" in await asked.says(MEMBER)


async def test_who_is_let_in_from_memory_since_the_access_was_widened_is_let_in_during_an_outage(asked: Asked) -> None:
    assert await asked.says(MEMBER, access=Access(viewers=("admins",))) == NO_VIEWER
    assert await asked.says(MEMBER) == ""
    assert asked.looked_up() == [MEMBER]
    asked.restarted()
    asked.slack.faults.add("users.info", Fault("drop"), times=None)
    assert await asked.says(MEMBER) == ""


async def test_who_was_let_in_under_another_access_was_not_let_in(asked: Asked) -> None:
    assert await asked.says(MEMBER) == ""
    asked.seconds[0] += BELIEVED
    asked.slack.faults.add("users.info", Fault("drop"), times=None)
    assert "Slack does not say" in await asked.says(MEMBER, access=Access(viewers=("admins",)))


async def test_without_the_scope_nobody_new_is_let_in_and_each_is_told_which_one_is_missing(asked: Asked) -> None:
    asked.slack.scopes.discard("users:read")
    assert await asked.says(MEMBER) == NO_SCOPE.format("users:read")
    asked.slack.scopes.add("users:read")
    asked.slack.scopes.discard("usergroups:read")
    assert await asked.says(MEMBER, access=BY_GROUP) == NO_SCOPE.format("usergroups:read")
    assert await asked.says(GUEST_ID, access=BY_GROUP) == GUEST
    assert await asked.says(MEMBER, access=Access(viewers=("S0FINANCE1", MEMBER))) == ""


async def test_members_of_a_group_are_let_in_and_asked_for_once(asked: Asked) -> None:
    assert await asked.says(ADMIN, access=BY_GROUP) == ""
    assert await asked.says(MEMBER, access=BY_GROUP) == NO_VIEWER
    assert await asked.says(MEMBER, access=Access(viewers=("S0GONE",), editors=())) == NO_VIEWER
    assert len(asked.slack.calls_of("usergroups.users.list")) == 2


@pytest.mark.parametrize("fault", [Fault("status", status=500), Fault("hang")], ids=["fails", "hangs"])
async def test_a_group_that_slack_does_not_tell_of_holds_up_nobody_who_is_in_another(
    asked: Asked, fault: Fault
) -> None:
    two = Access(viewers=("S0SILENT", "S0FINANCE1"), editors=())
    silent = {"times": None, "where": lambda args: args["usergroup"] == "S0SILENT"}
    asked.slack.faults.add("usergroups.users.list", fault, **silent)  # type: ignore[arg-type] # by their names
    assert await asked.says(ADMIN, access=two) == ""
    assert "Slack does not say" in await asked.says(MEMBER, access=two)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_a_slow_slack_is_asked_for_workspace_person_and_groups_at_once(asked: Asked, known: bool) -> None:
    if not known:
        asked.people.workspace = None
    asked.slack.faults.add("*", Fault("slow", seconds=0.27), times=None)
    assert await asked.says(ADMIN, access=BY_GROUP) == ""
    assert await asked.says(MEMBER, access=BY_GROUP) == NO_VIEWER


async def test_a_remembered_person_is_not_asked_for_again_where_a_group_is(asked: Asked) -> None:
    assert await asked.says(ADMIN) == ""
    assert await asked.says(ADMIN, access=BY_GROUP) == ""
    assert asked.looked_up() == [ADMIN]


@pytest.mark.parametrize("method", ["auth.test", "users.info", "usergroups.users.list"])
async def test_what_came_too_late_is_found_by_the_next_try(asked: Asked, method: str) -> None:
    asked.people.workspace = None
    asked.slack.faults.add(method, Fault("slow", seconds=PATIENCE + 0.2), times=None)
    assert "no_answer_in_time" in await asked.says(ADMIN, access=BY_GROUP)
    await asyncio.sleep(0.5)
    assert await asked.says(ADMIN, access=BY_GROUP) == ""
    assert len(asked.slack.calls_of(method)) == 1


async def test_a_look_up_that_hangs_holds_up_only_those_who_began_with_it(asked: Asked) -> None:
    asked.slack.faults.add("users.info", Fault("hang"))
    assert "no_answer_in_time" in await asked.says(MEMBER)
    asked.seconds[0] += PATIENCE
    assert await asked.says(MEMBER) == ""


async def test_many_clicks_at_once_make_one_call(asked: Asked) -> None:
    assert await asyncio.gather(*(asked.says(ADMIN, access=BY_GROUP) for _ in range(5))) == [""] * 5
    assert (len(asked.looked_up()), len(asked.slack.calls_of("usergroups.users.list"))) == (1, 1)


async def test_a_wait_that_slack_asks_for_too_late_is_kept(asked: Asked) -> None:
    asked.slack.faults.add("users.info", Fault("slow", seconds=PATIENCE + 0.2))
    asked.slack.faults.add("usergroups.users.list", Fault("status", status=429, retry_after=30))
    assert "no_answer_in_time" in await asked.says(ADMIN, access=BY_GROUP)
    assert "no_answer_in_time" in await asked.says(MEMBER)
    assert asked.looked_up() == [ADMIN]


async def test_who_turns_out_too_late_to_have_lost_the_right_has_lost_it_for_an_outage(asked: Asked) -> None:
    assert await asked.says(MEMBER) == ""
    asked.seconds[0] += BELIEVED
    asked.slack.workspace.users[MEMBER].deleted = True
    asked.slack.faults.add("users.info", Fault("slow", seconds=PATIENCE + 0.2))
    assert await asked.says(MEMBER) == ""
    await asyncio.sleep(0.5)
    assert await asked.says(MEMBER) == UNKNOWN
    asked.restarted()
    asked.slack.faults.add("users.info", Fault("drop"), times=None)
    assert "Slack does not say" in await asked.says(MEMBER)


async def test_an_admin_edits_although_a_group_hangs(asked: Asked) -> None:
    asked.slack.faults.add("usergroups.users.list", Fault("hang"), times=None)
    assert await asked.says(ADMIN, Right.EDIT_RULES, access=Access(editors=("admins", "S0FINANCE1"))) == ""


async def test_an_auth_test_that_names_no_workspace_lets_nobody_in(asked: Asked) -> None:
    asked.people.workspace = None
    asked.slack.faults.add("auth.test", Fault("garbage"), times=None)
    assert "Slack does not say" in await asked.says(ADMIN)


class Answering(AsyncWebClient):
    """A client to which Slack answers at once that everybody is a member."""

    async def users_info(self, *, user: str, **_: Any) -> AsyncSlackResponse:
        answer = {"ok": True, "user": {"id": user, "team_id": TEAM_ID}}
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=answer, headers={}, status_code=200
        )


async def test_ids_without_end_do_not_fill_the_memory(asked: Asked) -> None:
    people = People(Answering(), asked.admissions, later=lambda work: work.close())
    people.workspace = Workspace(TEAM_ID)
    for number in range(MOST + 2_000):
        assert (await people.ruling(Person(f"U{number}", TEAM_ID), Right.ASK, EVERYONE)).allows
    assert sum(type(each) is Profile for each in gc.get_objects()) <= MOST + 100
