"""Who is none of the bot's own people sees no figure and changes nothing: one running bot, asked and clicked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.rules.access import GUEST, NO_EDITOR, NO_VIEWER, OUTSIDER, UNKNOWN
from bot.sandbox.faults import Fault
from bot.sandbox.slack import workspace as ids
from bot.sandbox.slack.interactions import Interaction
from bot.sandbox.slack.workspace import ADMIN, MEMBER, SPEND_CHANNEL, Message, User
from bot.sandbox.world import World
from tests.end_to_end.test_buttons import RULES, alert, shows, spend
from tests.end_to_end.test_commands import COMMAND
from tests.forks import ForkServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("outsiders")]

STRANGER, SISTER, UNSEEN, COLLEAGUE = "U0EXT0001", "U0SISTER1", "U0UNSEEN1", "U0MEMBER2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[World]:
    """A bot on Enterprise Grid that has warned of $42.00 in a channel shared with another organisation."""
    async with World(tmp_path_factory.mktemp("outsiders"), spawn=forks.spawn) as world:
        workspace = world.slack.workspace
        workspace.enterprise_id = "E0OURS"
        for user in workspace.users.values():
            user.enterprise_id = "E0OURS"
        for user in (
            User(STRANGER, "eve", team_id="T0OTHER", is_admin=True),
            User(SISTER, "sue", team_id="T0SISTER", enterprise_id="E0OURS", is_admin=True),
            User(UNSEEN, "una", visible=False),
            User(COLLEAGUE, "max", enterprise_id="E0OURS"),
        ):
            workspace.add_user(user)
            workspace.channels[SPEND_CHANNEL].members.add(user.id)
        world.rules_file.write_text(RULES)
        spend(world, 4200)
        await world.run()
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def warned(shared: World) -> Message:
    return await alert(shared)


async def told(act: Interaction) -> str:
    answer = await act.answer()
    assert answer.response_type == "ephemeral"
    return answer.text


async def test_a_person_of_another_organisation_is_told_why_and_nothing_else(shared: World, warned: Message) -> None:
    slack, before = shared.slack, warned.text
    answer = await (await slack.command(COMMAND, "week", user=ADMIN)).answer()
    for text in ("", "budgets", "why 1", "help", "snooze 1 tomorrow"):
        assert await told(await slack.command(COMMAND, text, user=STRANGER)) == OUTSIDER
    for action, value in (("show_usage", None), ("acknowledge", None), ("snooze", "hour:1"), ("snooze", "amount:1")):
        assert await told(await slack.click(warned, action, user=STRANGER, value=value)) == OUTSIDER
    assert await told(await slack.click(answer, "share_answer", user=STRANGER)) == OUTSIDER
    view = await (await slack.click(warned, "snooze", user=ADMIN, value="amount:1")).view()
    submitted = await slack.submit_view(view, {"snooze_amount": "75"}, user=STRANGER)
    assert submitted.errors == {"snooze_amount": OUTSIDER}
    assert (await slack.open_home(user=STRANGER)).acknowledged
    assert (warned.text, slack.thread(warned), slack.workspace.home(STRANGER)) == (before, [], None)
    assert len(slack.messages(SPEND_CHANNEL)) == 1
    assert all("$" not in each.text for each in slack.ephemerals(STRANGER))


async def test_their_admin_is_not_ours_and_a_member_is_called_no_guest(shared: World, warned: Message) -> None:
    await rules(shared, RULES + f"access: {{viewers: [admins, {STRANGER}]}}\n")
    for person, sentence in ((STRANGER, OUTSIDER), (SISTER, NO_VIEWER), (MEMBER, NO_VIEWER), (ids.GUEST, GUEST)):
        assert await told(await shared.slack.click(warned, "show_usage", user=person)) == sentence
    assert "$42.00" in await told(await shared.slack.click(warned, "show_usage", user=ADMIN))
    await rules(shared, RULES)


async def rules(world: World, text: str) -> None:
    """The rules file is saved like this, and has taken force."""

    def taken() -> int:
        return sum("in force from" in line for line in world.processes[0].lines)

    before = taken()
    world.rules_file.write_text(text)
    async with asyncio.timeout(8):
        while taken() == before:
            await asyncio.sleep(0.05)


async def test_people_of_another_workspace_of_the_same_grid_are_own_people(shared: World, warned: Message) -> None:
    assert "$42.00" in await told(await shared.slack.command(COMMAND, user=SISTER))
    assert "$42.00" in await told(await shared.slack.click(warned, "show_usage", user=SISTER))


async def test_what_slack_says_of_one_person_opens_the_gate_for_nobody(shared: World) -> None:
    for unknown in (UNSEEN, STRANGER):
        assert "$" not in await told(await shared.slack.command(COMMAND, user=unknown))
        assert await told(await shared.slack.command(COMMAND, user=ids.GUEST)) == GUEST
    assert await told(await shared.slack.command(COMMAND, user=UNSEEN)) == UNKNOWN


async def test_a_viewer_undoes_what_they_did_and_not_what_somebody_else_did(shared: World, warned: Message) -> None:
    slack = shared.slack
    await slack.click(warned, "acknowledge", user=MEMBER)
    await shows(shared, warned, f"acknowledged by <@{MEMBER}>")
    refused = await slack.click(warned, "undo", user=COLLEAGUE)
    assert await told(refused) == NO_EDITOR.format("undo what somebody else did")
    await slack.click(warned, "undo", user=MEMBER)
    await slack.until(lambda: "acknowledged" not in warned.text, 8, "the undo")


async def test_in_an_outage_who_was_let_in_still_asks_also_after_a_restart(shared: World) -> None:
    assert "$42.00" in await told(await shared.slack.command(COMMAND, user=MEMBER))
    assert await shared.processes[-1].stop() == 0
    shared.slack.faults.add("auth.test", Fault("status", status=503), times=None)
    shared.slack.faults.add("users.info", Fault("status", status=503), times=None)
    await shared.run()
    assert "$42.00" in await told(await shared.slack.command(COMMAND, user=MEMBER))
    refused = await told(await shared.slack.command(COMMAND, user=ids.GUEST))
    assert refused.startswith("Slack does not say who you are at the moment (http_503)")
    shared.slack.faults.clear()
    assert await told(await shared.slack.command(COMMAND, user=ids.GUEST)) == GUEST
    assert await told(await shared.slack.command(COMMAND, user=STRANGER)) == OUTSIDER
