"""What people type, answered within three seconds, in both modes, on real sockets."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import pytest

from bot.money import dollars
from bot.sandbox.faults import Fault
from bot.sandbox.slack.workspace import GUEST, MEMBER
from bot.sandbox.world import World
from bot.windows import utc_day

COMMAND = "/agent-usage"


def history(world: World, days: int = 60) -> None:
    chance = random.Random(7)  # noqa: S311 figures, not secrets
    for back in range(days):
        day = utc_day(world.now()) - timedelta(days=back)
        world.cartesia.set_day(day, cents=chance.randint(0, 4000), minutes=f"{chance.random() * 900:.2f}", calls=9)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_the_overview_answers_in_time_for_the_asker_alone(world: World, mode: str) -> None:
    history(world)
    await (world.run() if mode == "socket" else world.run_http())
    typed = await world.slack.command(COMMAND, "")
    answer = await typed.answer()
    assert answer.seconds < 3
    assert answer.response_type == "ephemeral"
    today = utc_day(world.now())
    assert f"Today: {dollars(world.cartesia.days[today].cents)}" in answer.text
    assert "Daily spend: " in answer.text
    assert "data_visualization" in [block["type"] for block in answer.blocks]


async def test_days_before_the_checked_ones_are_read_for_the_asker(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()) - timedelta(days=200), cents=4321)
    await world.run()
    day = utc_day(world.now()) - timedelta(days=200)
    answer = await (await world.slack.command(COMMAND, str(day))).answer()
    assert "$43.21" in answer.text


async def test_known_figures_come_in_the_acknowledgement_itself(world: World) -> None:
    history(world)
    await world.run()
    await world.checks()
    await (await world.slack.command(COMMAND, "week")).answer()  # now the person is known too
    answer = await (await world.slack.command(COMMAND, "week")).answer()
    assert answer.source == "ack"
    assert answer.seconds < 0.5


async def test_concurrent_commands_share_one_request(world: World) -> None:
    await world.run(CHECK_INTERVAL="1h")
    await asyncio.sleep(0.3)
    world.cartesia.faults.add("usage", Fault("slow", seconds=0.5), times=None)
    before = len(world.cartesia.requests)
    day = str(utc_day(world.now()) - timedelta(days=300))
    typed = await asyncio.gather(*(world.slack.command(COMMAND, day) for _ in range(20)))
    await asyncio.gather(*(each.answer() for each in typed))
    assert len(world.cartesia.requests) - before == 1


async def test_a_guest_is_told_that_guests_may_not_ask(world: World) -> None:
    await world.run()
    answer = await (await world.slack.command(COMMAND, "today", user=GUEST)).answer()
    assert answer.text.startswith("Guests can't ask")


async def test_without_the_scope_to_look_people_up_nobody_may_ask_and_is_told_why(world: World) -> None:
    world.slack.scopes.discard("users:read")
    await world.run()
    answer = await (await world.slack.command(COMMAND, "today", user=MEMBER)).answer()
    assert "must add the scope users:read" in answer.text


async def test_an_answer_does_not_wait_for_a_slack_that_cannot_say_who_asks(world: World) -> None:
    world.slack.faults.add("users.info", Fault("hang"), times=None)
    await world.run()
    for text in ("today", "week", "help"):
        assert (await (await world.slack.command(COMMAND, text, user=MEMBER)).answer()).seconds < 3


async def test_a_hanging_cartesia_is_answered_for_with_the_last_reading_and_its_age(world: World) -> None:
    history(world)
    await world.run()
    await world.checks()
    world.cartesia.faults.add("usage", Fault("hang"), times=None)
    await asyncio.sleep(16)  # until the last reading is no longer fresh
    began = time.monotonic()
    answer = await (await world.slack.command(COMMAND, "week")).answer()
    assert time.monotonic() - began < 3
    assert "Figures read" in answer.text
    assert "seconds ago" in answer.text


async def test_an_outage_before_any_reading_is_said_plainly(world: World) -> None:
    world.cartesia.faults.add("usage", Fault("status", status=503), times=None)
    await world.run()
    answer = await (await world.slack.command(COMMAND, "today")).answer()
    assert answer.seconds < 3
    assert answer.text.startswith("Cartesia is not well (503)")


async def test_a_refused_key_is_answered_with_what_to_do(world: World) -> None:
    await world.run(CARTESIA_ADMIN_API_KEY="sk_car_admin_revoked")
    answer = await (await world.slack.command(COMMAND, "today")).answer()
    assert "must be an admin key" in answer.text
    assert "https://play.cartesia.ai/keys/admin" in answer.text
    assert "sk_car_admin_revoked" not in answer.text


async def test_share_shows_the_same_days_to_the_channel_and_says_who_shared(world: World) -> None:
    history(world)
    await world.run()
    answer = await (await world.slack.command(COMMAND, "week")).answer()
    clicked = await world.slack.click(answer, "share_answer", user=MEMBER)
    shown = await clicked.answer()
    assert shown.response_type == "in_channel"
    assert shown.text.splitlines()[0] == answer.text.splitlines()[0]
    assert f"<@{MEMBER}>" in shown.text


async def test_an_answer_that_slack_did_not_show_to_the_channel_is_said_to_who_shared_it(world: World) -> None:
    history(world)
    await world.run()
    answer = await (await world.slack.command(COMMAND, "week", user=MEMBER)).answer()
    world.slack.faults.add("response_url", Fault("status", status=500))
    told = await (await world.slack.click(answer, "share_answer", user=MEMBER)).answer()
    assert told.response_type == "ephemeral"
    assert told.text.startswith("Slack may not have shown this to the channel")


async def test_a_double_click_on_share_shows_the_answer_once(world: World) -> None:
    history(world)
    await world.run()
    answer = await (await world.slack.command(COMMAND, "week", user=MEMBER)).answer()
    await asyncio.gather(*(world.slack.click(answer, "share_answer", user=MEMBER) for _ in range(2)))
    await world.slack.until(lambda: world.slack.messages("voice-spend"))
    other = await (await world.slack.command(COMMAND, "week", user=MEMBER)).answer()
    await (await world.slack.click(other, "share_answer", user=MEMBER)).answer()
    assert len(world.slack.messages("voice-spend")) == 2  # one of each answer


@pytest.mark.parametrize("text", ["budgets", "check", "status"])
async def test_budgets_check_and_status_answer(world: World, text: str) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=4500)
    await world.run()
    await world.checks()
    answer = await (await world.slack.command(COMMAND, text)).answer()
    expected = {"budgets": "$45.00 of $50.00 (90%)", "check": "SAID", "status": "every message is delivered"}
    assert expected[text] in answer.text


async def test_a_stale_button_of_another_version_shows_no_error(world: World) -> None:
    await world.run()
    answer = await (await world.slack.command(COMMAND, "week")).answer()
    answer.message.blocks[-1]["elements"][0]["action_id"] = "a_button_of_an_older_version"
    assert (await world.slack.click(answer, "a_button_of_an_older_version")).acknowledged
