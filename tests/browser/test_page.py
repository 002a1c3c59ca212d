"""What a person does on the sandbox's page, in a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID, Message
from tests.browser.conftest import AXE, PICTURES, Open, Visit, expect, missing

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("busy"),  # one at a time: each keeps a core busy
]
SAMPLES = Path(__file__).parents[1] / "samples" / "messages"
SHOWN = {  # in docs/messages.md
    "alert_of_a_forecast_for_a_day",
    "alert_of_a_warning",
    "alert_of_a_breach",
    "alert_with_people_and_a_runbook",
    "alert_a_step_further",
    "alert_of_an_unusual_day",
    "alert_of_silence",
    "alert_acknowledged",
    "alert_snoozed_until_an_amount",
    "alert_corrected_to_below_every_level",
    "alert_closed_for_a_day",
    "blind",
}
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


def sample(name: str) -> dict[str, Any]:
    """What the bot says of one kind, from the golden files."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


async def test_a_typed_command_is_answered_to_the_asker_alone(open_page: Open) -> None:
    visit = await open_page()
    await visit.types("/agent-usage")
    answer = visit.message("Monthly budget")
    await answer.wait_for()
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer.locator("svg[role=img]")).to_be_visible()
    await visit.types("/agent-usage last 7 days by day")
    table = visit.message("2026").locator("table")
    await table.wait_for()
    assert await table.locator("tbody tr").count() == 7
    await visit.types("/agent-usage why <b>R&D</b> “&amp;”")
    await expect(visit.message("There is no alert")).to_contain_text("“<b>R&D</b> “&amp;””")


async def test_spending_over_the_threshold_shows_the_alert_and_it_is_acknowledged(open_page: Open) -> None:
    visit = await open_page()
    alert = await visit.spends_over_the_threshold()
    await visit.picture("alert")
    await alert.get_by_role("button", name="Acknowledge").click()
    await expect(alert).to_contain_text("acknowledged by", timeout=10_000)
    await alert.get_by_test_id("thread-open").click()
    await expect(visit.by("thread")).to_contain_text("Acknowledged by")
    await visit.picture("thread")
    await visit.page.keyboard.press("Escape")
    await expect(visit.by("thread")).to_be_hidden()
    await alert.get_by_role("button", name="Undo").click()
    await expect(alert).not_to_contain_text("acknowledged by", timeout=10_000)


async def test_snoozing_until_an_amount_takes_a_right_value_and_explains_a_wrong_one(open_page: Open) -> None:
    visit = await open_page()
    alert = await visit.spends_over_the_threshold()
    await choose(visit, "Until an amount…")
    modal = visit.by("modal")
    await modal.wait_for()
    await modal.locator("input").fill("plenty")
    await visit.by("modal-submit").click()
    await expect(modal).to_contain_text("is not an amount of money")
    await visit.picture("modal")
    await modal.locator("input").fill("1")
    await visit.by("modal-submit").click()
    await expect(modal).to_contain_text("already; write more than that")
    await modal.locator("input").fill("500")
    await visit.by("modal-submit").click()
    await expect(modal).to_be_hidden()
    await expect(alert).to_contain_text("until $500.00", timeout=10_000)


async def choose(visit: Visit, option: str) -> None:
    """Pick from the Snooze menu of the first alert."""
    alert = visit.page.locator("#log").get_by_test_id("message").filter(has_text="🔴 Daily spend").first
    await alert.locator('[data-action="snooze"]').first.click()
    await visit.page.get_by_text(option, exact=True).first.click()


async def test_broken_rules_are_shown_at_their_line_and_mended(open_page: Open) -> None:
    visit = await open_page()
    editor = visit.by("rules-editor")
    good = await editor.input_value()
    await editor.fill(good.replace("threshold: $40", "threshold: 40"))
    await visit.by("rules-save").click()
    await expect(visit.by("mistakes")).to_contain_text("has no unit")
    await visit.picture("mistake")
    await visit.page.locator('[data-channel="voice-ops"]').first.click()
    await visit.message("The last good rules stay in force").wait_for(timeout=15_000)
    await editor.fill(good.replace("$40", "$20"))
    await visit.by("rules-save").click()
    await expect(visit.by("mistakes")).to_be_empty()
    await visit.message("is good again").wait_for(timeout=15_000)
    await visit.does("backtest").click()
    await expect(visit.by("backtest-results")).to_contain_text("Daily spend", timeout=20_000)


async def test_a_reload_shows_everything_again(open_page: Open) -> None:
    visit = await open_page()
    await visit.spends_over_the_threshold()
    before = await visit.page.locator("#log").get_by_test_id("message").count()
    await visit.page.reload()
    await visit.message("🔴 Daily spend").wait_for()
    assert await visit.page.locator("#log").get_by_test_id("message").count() == before


# What is said of each day and moment in the channel: above its messages, and in them.
NEAR_DAYS = """() => {
    const above = (each) => [new Date(each.dataset.ts * 1000).toISOString(), each.querySelector(".day").textContent];
    const items = [...document.querySelectorAll("#log .message")].filter((each) => !each.querySelector(".day").hidden);
    const within = [...document.querySelectorAll("#log time[data-pattern]")];
    return [...items.map(above), ...within.map((each) => [each.dateTime, each.textContent])];
}"""


async def test_a_month_passes_in_half_a_minute_and_nothing_is_lost_or_doubled(open_page: Open) -> None:
    visit = await open_page()
    began, started = visit.show.clock.now(), time.monotonic()
    await visit.does("day").click()
    while visit.show.clock.now() < began + timedelta(days=30):
        await asyncio.sleep(0.2)
    took = time.monotonic() - started
    await visit.does("pause").click()
    await visit.proves_nothing_lost_or_doubled()
    await visit.message("✅ Daily spend").wait_for()
    today = visit.show.clock.now().date()
    said = await visit.page.evaluate(NEAR_DAYS)
    assert len(said) > 5
    for day, words in said:
        near = {today: "today", today - timedelta(days=1): "yesterday"}.get(date.fromisoformat(day[:10]))
        assert words.lower().startswith(("today", "yesterday")) is bool(near), (day, words)
        assert words.lower().startswith(near or ""), (day, words)
    await visit.picture("month")
    print(f"30 days in {took:.1f} s")
    assert took < 180  # half a minute on a quiet machine


async def test_a_killed_bot_is_shown_as_gone_and_recovers(open_page: Open) -> None:
    visit = await open_page()
    await visit.spends_over_the_threshold()
    await visit.does("kill").click()
    await expect(visit.by("bot-line")).to_contain_text("not running", ignore_case=True)
    await visit.types("/agent-usage today")
    await expect(visit.by("status")).to_contain_text("The bot did not answer")
    await visit.does("start").click()
    await visit.show.world.slack.socket.wait_connected(timeout=30)
    await visit.types("/agent-usage status")
    await visit.message("every message is delivered").wait_for(timeout=20_000)
    await visit.proves_nothing_lost_or_doubled()


async def test_the_keyboard_alone_is_enough(open_page: Open) -> None:
    visit = await open_page()
    keyboard = visit.page.keyboard
    await keyboard.press("Tab")
    await keyboard.press("Tab")
    await expect(visit.page.get_by_role("link", name="Controls")).to_be_focused()
    await keyboard.press("Enter")
    await visit.tabs_to('[data-do="busy_hour"]', within=8)
    await keyboard.press("Enter")
    alert = visit.page.locator("#log").get_by_test_id("message").filter(has_text="🔴 Daily spend").first
    await alert.wait_for(timeout=20_000)
    await visit.tabs_to("#composer")
    await keyboard.type("/agent-usage help")
    await keyboard.press("Enter")
    await visit.message("where each budget stands").wait_for()
    await visit.tabs_to('[data-action="snooze"]')
    await keyboard.press("Enter")
    for _ in range(3):
        await keyboard.press("ArrowDown")
    await keyboard.press("Enter")
    await visit.by("modal").wait_for()
    await keyboard.type("500")
    await keyboard.press("Enter")
    await expect(alert).to_contain_text("until $500.00", timeout=10_000)
    assert await alert.evaluate("alert => alert.contains(document.activeElement)")  # not lost with the modal
    await visit.tabs_to('[data-action="acknowledge"]')
    await keyboard.press("Enter")
    await expect(alert).to_contain_text("acknowledged by", timeout=10_000)
    await visit.tabs_to('[data-testid="thread-open"]')
    await keyboard.press("Enter")
    await expect(visit.by("thread")).to_contain_text("Acknowledged by")
    await keyboard.press("Escape")
    await expect(visit.by("thread")).to_be_hidden()
    await visit.tabs_to("#rules-editor")
    await keyboard.press("Control+End")
    await keyboard.type("oops")
    await keyboard.press("Control+s")
    await expect(visit.by("mistakes")).not_to_be_empty()


async def test_a_guest_is_told_why_not(open_page: Open) -> None:
    visit = await open_page()
    await visit.does("me-guest").click()
    await visit.page.locator('[data-channel="general"]').first.click()
    await visit.types("/agent-usage today")
    await visit.message("Guests can't ask for usage here").wait_for()
    assert await visit.by("channel").all_inner_texts() == ["#\ngeneral"]


async def test_a_moment_that_no_calendar_has_spoils_nothing(open_page: Open) -> None:
    visit = await open_page()
    slack = visit.show.world.slack
    place, text = slack.channel("voice-spend").id, "at <!date^99999999999999^{date}^javascript:alert(1)|some time>"
    slack.workspace.post(Message(place, slack.workspace.next_ts(), BOT_USER_ID, text))
    slack.changes.note()
    await visit.message("at some time").wait_for()


async def test_figures_that_a_reader_has_open_stay_open_when_their_message_is_edited(open_page: Open) -> None:
    visit = await open_page()
    alert = await visit.spends_over_the_threshold()
    await alert.get_by_text("Figures", exact=True).click()
    await alert.get_by_role("button", name="Acknowledge").click()
    await expect(alert).to_contain_text("acknowledged by", timeout=10_000)
    await expect(alert.locator("details table")).to_be_visible()


@pytest.mark.parametrize("device", ["mouse", "keyboard"])
async def test_a_press_counts_though_the_message_is_edited_meanwhile(open_page: Open, device: str) -> None:
    visit = await open_page()
    alert = await visit.spends_over_the_threshold()
    mouse, keyboard = visit.page.mouse, visit.page.keyboard
    button = alert.get_by_role("button", name="Acknowledge")
    await button.focus()
    await button.hover()
    await (mouse.down() if device == "mouse" else keyboard.down("Space"))
    slack = visit.show.world.slack
    posted = next(each for each in slack.messages("#voice-spend") if "🔴 Daily spend" in each.text)
    posted.change(slack.workspace.next_ts(), posted.text, posted.blocks, posted.metadata)
    slack.changes.note()
    await visit.page.wait_for_timeout(400)  # longer than the page takes to see it
    await (mouse.up() if device == "mouse" else keyboard.up("Space"))
    await expect(alert).to_contain_text("acknowledged by", timeout=10_000)


async def test_the_quote_above_a_reply_says_what_its_message_says_by_now(open_page: Open) -> None:
    visit = await open_page()
    await visit.spends_over_the_threshold()
    for _ in range(2):
        await visit.does("busy_hour").click()
    quote = visit.page.locator("#log .over.reply .link").first
    await expect(quote).to_contain_text("🔴 Daily spend", timeout=20_000)
    await visit.does("midnight").click()
    await expect(quote).to_contain_text("✅ Daily spend", timeout=20_000)


async def test_what_comes_while_somebody_reads_far_above_is_drawn_when_they_come_back(open_page: Open) -> None:
    visit = await open_page()
    slack = visit.show.world.slack
    place = slack.channel("voice-spend").id
    for number in range(400):
        slack.say(place, f"Line {number}")
    await visit.message("Line 399").wait_for()
    await visit.page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
    for number in range(400, 1000):
        slack.say(place, f"Line {number}")
        await asyncio.sleep(0)
    newer = visit.page.get_by_role("button", name="New messages")
    await newer.wait_for()
    assert await visit.page.locator("#log").get_by_test_id("message").count() < 500
    await newer.click()
    await visit.message("Line 999").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1440 px", "360 px"])
async def test_nothing_is_clipped_and_accessibility_has_no_serious_finding(
    open_page: Open, viewport: dict[str, int], scheme: str
) -> None:
    if not AXE.is_file():
        missing("axe-core", "make .venv/axe.stamp")
    visit = await open_page(viewport=viewport, color_scheme=scheme)
    slack = visit.show.world.slack
    visit.show.spend("busy_hour")
    alert = visit.page.locator("#log").get_by_test_id("message").filter(has_text="🔴 Daily spend").first
    await alert.wait_for(timeout=20_000)
    await visit.types("/agent-usage")
    await visit.message("Monthly budget").wait_for()
    await visit.page.wait_for_timeout(500)
    await visit.picture(f"page_{viewport['width']}")
    await visit.is_whole_and_accessible("the channel")
    await alert.get_by_role("button", name="Acknowledge").click()
    await alert.get_by_test_id("thread-open").click()
    await visit.is_whole_and_accessible("a thread")
    await visit.page.keyboard.press("Escape")
    await choose(visit, "Until an amount…")
    await visit.by("modal").locator("input").fill("plenty")
    await visit.by("modal-submit").click()
    await expect(visit.by("modal")).to_contain_text("is not an amount of money")
    await visit.is_whole_and_accessible("a modal with a mistake")
    await visit.by("modal-close").click()
    visit.show.world.rules_file.write_text("rules: 5\n", encoding="utf-8")
    slack.changes.note()
    if viewport is NARROW:
        await visit.by("menu-toggle").click()
        for panel in await visit.page.locator("#panels summary").all():
            await panel.click()
    await expect(visit.by("mistakes")).not_to_be_empty()
    await visit.is_whole_and_accessible("rules with mistakes")


async def test_2000_messages_stay_smooth(open_page: Open) -> None:
    visit = await open_page()
    slack = visit.show.world.slack
    channel = slack.channel("voice-spend").id
    said = sample("alert_with_people_and_a_runbook")
    for number in range(2000):
        blocks = [{"block_id": f"b{number}-{place}", **block} for place, block in enumerate(said["blocks"])]
        text = f"Message {number}\n" + "\n".join(said["text"])
        slack.workspace.post(Message(channel, slack.workspace.next_ts(), BOT_USER_ID, text, blocks=blocks))
    slack.changes.note()
    last = slack.workspace.posted[-1].ts
    await visit.page.locator(f'#log [data-ts="{last}"]').wait_for(timeout=15_000)
    began = time.monotonic()
    await visit.types("/agent-usage help")
    await visit.message("where each budget stands").wait_for()
    took = time.monotonic() - began
    frames = await visit.page.evaluate(SCROLL_UP)
    print(f"among 2,000 alerts: an answer after {took:.2f} s, and while scrolling up, milliseconds a frame: {frames}")
    assert took < 3
    assert frames["median"] < 100
    assert frames["worst"] < 1500


SCROLL_UP = """async () => {
    const log = document.querySelector("#log");
    const gaps = [];
    let last = performance.now();
    for (let step = 0; step < 120; step++) {
        log.scrollTop -= 500;
        await new Promise(requestAnimationFrame);
        gaps.push(performance.now() - last);
        last = performance.now();
    }
    gaps.sort((one, other) => one - other);
    return { median: Math.round(gaps[60]), worst: Math.round(gaps[119]) };
}"""


async def test_the_home_tab_is_drawn_when_it_has_content(open_page: Open) -> None:
    visit = await open_page()
    await visit.by("home-tab").click()
    await expect(visit.by("home")).to_contain_text("the bot has not written one")
    await visit.picture("home")
    slack = AsyncWebClient(visit.show.world.slack.bot_token, base_url=visit.show.world.slack.api_url)
    await slack.views_publish(user_id=ADMIN, view={"type": "home", "blocks": sample("overview")["blocks"]})
    await expect(visit.by("home")).to_contain_text("November to date")
    await expect(visit.by("home").locator("svg[role=img]")).to_be_visible()


CLIPPED = """async (messages) => {
    const found = [];
    for (const [number, each] of messages.entries()) {
        each.scrollIntoView(); // what is far from the window is not laid out
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        if (each.scrollWidth > each.clientWidth || each.querySelector("[data-undrawn]")) found.push(number);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_kind_of_message_is_drawn_whole(open_page: Open, scheme: str) -> None:
    visit = await open_page(viewport={"width": 1100, "height": 1600}, color_scheme=scheme)
    slack = visit.show.world.slack
    channel = slack.channel("general").id
    await visit.page.locator('[data-channel="general"]').first.click()
    samples = [path for path in sorted(SAMPLES.glob("*.json")) if "modal" not in path.stem]
    assert {path.stem for path in samples} >= SHOWN
    for number, path in enumerate(samples):
        said = sample(path.stem)
        blocks = [{"block_id": f"k{number}-{place}", **block} for place, block in enumerate(said["blocks"])]
        text = "\n".join(said["text"])
        slack.workspace.post(Message(channel, slack.workspace.next_ts(), BOT_USER_ID, text, blocks=blocks))
    slack.changes.note()
    messages = visit.page.locator("#log").get_by_test_id("message")
    await expect(messages).to_have_count(len(samples), timeout=15_000)
    clipped = await messages.evaluate_all(CLIPPED)
    assert [samples[number].stem for number in clipped] == []
    for number, path in enumerate(samples):
        if PICTURES and (path.stem in SHOWN or "ALL_KINDS" in os.environ):  # noqa: TID251 the same
            drawn = messages.nth(number).locator(".content")
            await drawn.screenshot(path=PICTURES / f"{path.stem}_{scheme}.png")
