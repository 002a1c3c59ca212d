"""Buttons, menus, the modal, and the commands that do the same, between the real program and the simulated Slack."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.slack.workspace import ADMIN, GUEST, MEMBER, Message
from bot.sandbox.world import World
from bot.windows import utc_day

CHANNEL = "voice-spend"
RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"
rules:
  - {name: Daily spend, threshold: $50, alert_at: [80%, 100%]}
"""


def spend(world: World, cents: int) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=cents, minutes=cents // 6, calls=cents // 25)


async def alert(world: World) -> Message:
    """The message of the first alert, once it is there."""
    [message, *_] = await world.slack.until(lambda: world.slack.messages(CHANNEL), 10, "the alert")
    return message


@pytest.fixture
async def warned(world: World) -> Message:
    """A running bot that has warned of $42.00."""
    world.rules_file.write_text(RULES)
    spend(world, 4200)
    await world.run()
    return await alert(world)


async def shows(world: World, message: Message, *words: str) -> None:
    """Wait until the message carries all these words, in its text and as blocks."""
    await world.slack.until(lambda: all(word in message.text for word in words) or None, 8, f"{words}: {message.text}")
    assert all(word.partition(" at ")[0] in str(message.blocks) for word in words)


async def thread(world: World, message: Message, count: int) -> list[str]:
    """The first line of each reply, once there are so many."""

    def enough() -> list[str] | None:
        found = [reply.text.partition("\n")[0] for reply in world.slack.thread(message)]
        return found if len(found) >= count else None

    return await world.slack.until(enough, 8, f"{count} replies")


def elements(message: Message) -> list[str]:
    """What can be clicked."""
    return [each["action_id"] for block in message.blocks if block["type"] == "actions" for each in block["elements"]]


async def asked(world: World, text: str, user: str = ADMIN) -> str:
    """The answer to a command, which only the asker sees."""
    answer = await (await world.slack.command("/agent-usage", text, user=user)).answer()
    assert answer.response_type == "ephemeral"
    return answer.text


# Buttons


async def test_acknowledge_shows_who_and_says_so_in_the_thread_and_undo_takes_it_back(
    world: World, warned: Message
) -> None:
    assert elements(warned) == ["acknowledge", "snooze", "show_usage"]
    await world.slack.click(warned, "acknowledge", user=MEMBER)
    await shows(world, warned, f"acknowledged by <@{MEMBER}>, ")
    assert elements(warned) == ["snooze", "undo", "show_usage"]
    again = await world.slack.click(warned, "undo")
    assert again.acknowledged
    await world.slack.until(lambda: "acknowledged" not in warned.text or None, 8, "the edit")
    assert elements(warned) == ["acknowledge", "snooze", "show_usage"]
    assert await thread(world, warned, 2) == [
        f"Acknowledged by <@{MEMBER}>: no more reminders, and nobody else is called.",
        f"Undone by <@{ADMIN}>: neither acknowledged nor snoozed any more.",
    ]
    assert len(world.slack.messages(CHANNEL)) == 1


@pytest.mark.parametrize(
    ("option", "words"),
    [("hour", "UTC"), ("tomorrow", "00:00 UTC"), ("level", "the next level")],
)
async def test_each_choice_of_the_snooze_menu_shows_who_and_until_when(
    world: World, warned: Message, option: str, words: str
) -> None:
    await world.slack.click(warned, "snooze", user=MEMBER, value=f"{option}:1")
    await shows(world, warned, f"snoozed by <@{MEMBER}> until ")
    assert words in warned.text
    assert elements(warned) == ["acknowledge", "undo", "show_usage"]
    [said] = await thread(world, warned, 1)
    assert said.startswith(f"Snoozed by <@{MEMBER}> until ")
    spend(world, 5100)
    await world.checks(2)
    broadcast = option == "level"
    if broadcast:
        await thread(world, warned, 2)
    assert len(world.slack.messages(CHANNEL)) == 1 + broadcast


async def test_the_modal_asks_for_an_amount_until_it_is_one_above_where_the_budget_stands(
    world: World, warned: Message
) -> None:
    view = await (await world.slack.click(warned, "snooze", value="amount:1")).view()
    assert "It stands at $42.00 now." in str(view.content)
    for typed, refusal in {
        "abc": "abc",
        "42": "It stands at $42.00 already; write more than that.",
        "$12.50": "It stands at $42.00 already; write more than that.",
        "60 minutes": "60 minutes",
    }.items():
        submitted = await world.slack.submit_view(view, {"snooze_amount": typed})
        assert submitted.error is None
        assert refusal in submitted.errors["snooze_amount"]
        assert view.is_open
    submitted = await world.slack.submit_view(view, {"snooze_amount": "75"})
    assert submitted.errors == {}
    assert not view.is_open
    await shows(world, warned, f"snoozed by <@{ADMIN}> until $75.00")
    spend(world, 6000)
    await world.checks(2)
    assert len(world.slack.messages(CHANNEL)) == 1
    spend(world, 7500)
    first, told = await thread(world, warned, 2)
    assert first == f"Snoozed by <@{ADMIN}> until $75.00."
    assert told == "🔴 Daily spend: $75.00 of $50.00 (150%)"
    await world.checks(2)
    assert len(world.slack.thread(warned)) == 2


async def test_show_usage_answers_only_who_clicked(world: World, warned: Message) -> None:
    answer = await (await world.slack.click(warned, "show_usage", user=MEMBER)).answer()
    assert answer.response_type == "ephemeral"
    assert "$42.00" in answer.text
    assert world.slack.ephemerals(ADMIN) == []
    assert len(world.slack.messages(CHANNEL)) == 1


async def test_a_guest_is_told_why_not_and_nothing_changes(world: World, warned: Message) -> None:
    before = warned.text
    for action, value in (
        ("acknowledge", None),
        ("snooze", "hour:1"),
        ("snooze", "amount:1"),
        ("show_usage", None),
    ):
        answer = await (await world.slack.click(warned, action, user=GUEST, value=value)).answer()
        assert answer.text.startswith("Guests can't ask for usage here")
        assert answer.response_type == "ephemeral"
    for command in ("why 1", "alerts", "snooze 1 tomorrow", "forecast", "restatements"):
        assert (await asked(world, command, GUEST)).startswith("Guests can't ask for usage here")
    assert warned.text == before
    assert world.slack.thread(warned) == []
    assert world.slack.calls_of("views.open") == []


async def test_what_is_typed_into_a_modal_by_somebody_who_is_a_guest_by_now_changes_nothing(
    world: World, warned: Message
) -> None:
    view = await (await world.slack.click(warned, "snooze", user=MEMBER, value="amount:1")).view()
    submitted = await world.slack.submit_view(view, {"snooze_amount": "75"}, user=GUEST)
    assert submitted.errors["snooze_amount"].startswith("Guests can't ask for usage here")
    assert world.slack.thread(warned) == []


async def test_buttons_work_on_a_message_from_before_a_restart(world: World) -> None:
    spend(world, 4200)
    bot = await world.run()
    message = await alert(world)
    assert await bot.stop() == 0
    await world.run()
    await world.slack.click(message, "acknowledge")
    await shows(world, message, f"acknowledged by <@{ADMIN}>, ")


async def test_a_button_of_an_alert_that_is_no_more_explains_itself(world: World, warned: Message) -> None:
    menu = next(each for each in warned.blocks[-1]["elements"] if each["action_id"] == "snooze")
    for number in ("999", "0", "x", "9" * 40, "-1", "1; drop", ""):
        clicked = await world.slack.click(warned, "acknowledge", value=number or "#")
        assert "no alert" in (await clicked.answer()).text
    for option in menu["options"]:
        option["value"] = option["value"].replace(":1", ":999")
        clicked = await world.slack.click(warned, "snooze", value=option["value"])
        assert "no alert 999" in (await clicked.answer()).text
    assert world.slack.thread(warned) == []


async def test_buttons_of_an_alert_that_is_closed_say_so(world: World, warned: Message) -> None:
    world.rules_file.write_text(RULES.replace("Daily spend", "Another"))
    await world.slack.until(lambda: warned.text.startswith("✅") or None, 8, "the close")
    assert elements(warned) == ["show_usage"]
    for words in ("snooze 1 tomorrow", "snooze 1 $75", "snooze daily spend next level"):
        assert "Alert 1 is closed" in await asked(world, words)


async def test_either_of_two_replicas_answers_a_click(world: World, served_url: str) -> None:
    spend(world, 4200)
    for _ in range(2):
        await world.program("0", module="tests.replica", DATABASE_URL=served_url).start()
    for replica in world.processes:
        await replica.said("connected to Slack", 30)
    message = await alert(world)
    for _ in range(2):  # Slack hands clicks to the connections in turn
        await world.slack.click(message, "acknowledge")
        await shows(world, message, f"acknowledged by <@{ADMIN}>, ")
        await world.slack.click(message, "undo")
        await world.slack.until(lambda: "acknowledged" not in message.text or None, 8, "the undo")
    stays, leaves = world.processes
    assert await leaves.stop() == 0
    await world.slack.click(message, "acknowledge")
    await shows(world, message, f"acknowledged by <@{ADMIN}>, ")
    assert await stays.stop() == 0


# Commands


async def test_why_is_the_account_of_an_alert_with_every_decision_and_delivery(world: World, warned: Message) -> None:
    spend(world, 5100)
    await thread(world, warned, 1)
    await world.slack.until(lambda: warned.text.startswith("🔴") or None, 8, "the edit")
    await world.processes[0].said("delivered reply")
    by_number = await asked(world, "why 1")
    for words in ("why #1", "why alert 1", "why Daily Spend", "WHY daily spend"):
        assert await asked(world, words) == by_number
    for word in ("Daily spend", "CROSSED", "RAISED", "$42.00", "$51.00", "$50.00"):
        assert word in by_number
    assert "SAID" not in by_number
    assert "no alert" in await asked(world, "why nobody")
    assert "no alert" in await asked(world, "why 2")
    assert "why needs the number or the name of an alert" in await asked(world, "why")


async def test_the_lists_answer_with_and_without_anything_to_list(world: World, warned: Message) -> None:
    alerts = await asked(world, "alerts")
    assert "Daily spend: $42.00 of $50.00 (84%)" in alerts
    assert "1" in alerts
    assert "Daily spend" in await asked(world, "forecast")
    assert await asked(world, "restatements")
    for text, near in {"alert": "alerts", "forcast": "forecast", "restatement": "restatements"}.items():
        assert f"Did you mean {near}?" in await asked(world, text)


async def test_snooze_as_a_command_does_what_the_menu_does(world: World, warned: Message) -> None:
    in_an_hour, in_two = (f"until {utc_day(world.now() + timedelta(hours=hours))}" for hours in (1, 2))
    forms = {
        "daily spend 1 hour": in_an_hour,
        "1 for an hour": in_an_hour,
        "daily spend 2 hours": in_two,
        "daily spend next level": "until the next level",
        "Daily Spend $75": "until $75.00",
        "alert 1 until 75.50": "until $75.50",
        "#1 tomorrow": "00:00 UTC",
    }
    for words, until in forms.items():
        answer = await asked(world, f"snooze {words}", MEMBER)
        assert answer.startswith(f"Alert 1 is snoozed {until}" if until[0] == "u" else "Alert 1 is snoozed until ")
        assert answer.endswith("; its message has Undo.")
        await world.slack.until(lambda until=until: until in warned.text or None, 8, until)  # type: ignore[misc]
    await shows(world, warned, f"snoozed by <@{MEMBER}> until ")
    assert len(await thread(world, warned, len(forms))) == len(forms)


async def test_nonsense_forms_of_snooze_are_explained(world: World, warned: Message) -> None:
    answers = {
        "snooze": "snooze needs the number or the name of an alert",
        "snooze daily spend": "Say until when",
        "snooze 1": "Say until when",
        "snooze daily spend forever": "“forever” is neither a time nor an amount",
        "snooze nobody 1 hour": "no alert",
        "snooze daily spend $10": "It stands at $42.00 already; write more than that.",
        "snooze daily spend 60 calls": "60 calls is not an amount of money",
        "snooze 99 tomorrow": "no alert",
    }
    for text, words in answers.items():
        assert words in await asked(world, text), text
    assert world.slack.thread(warned) == []
