"""The commands in a terminal: what they print, and their exit codes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from datetime import timedelta

import httpx
import pytest

from bot.sandbox.world import RULES, World
from bot.windows import utc_day


async def run(world: World, *arguments: str, **more: str) -> tuple[int, str]:
    process = world.program(*arguments, **more)
    await process.start()
    code = await process.ended()
    return code, "\n".join(process.lines)


@pytest.mark.usefixtures("executed")
async def test_usage_needs_only_the_cartesia_key(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=123456, minutes="20576.0", calls=99)
    code, printed = await run(world, "usage", "today", SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="", RULES_FILE="none.yaml")
    assert code == 0
    assert "$1,234.56 · 20,576 minutes · 99 calls" in printed


async def test_usage_as_json_and_csv_sums_to_the_cent(world: World) -> None:
    today = utc_day(world.now())
    for back in range(10):
        world.cartesia.set_day(today - timedelta(days=back), cents=101 + back, minutes="1.5", calls=1)
    code, printed = await run(world, "usage", "last", "7", "days", "--by", "day", "--json")
    answer = json.loads(printed)
    assert (code, answer["cents"], len(answer["rows"])) == (0, sum(101 + back for back in range(7)), 7)
    code, printed = await run(world, "usage", "7d", "--by", "day", "--csv")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert sum(int(row["cents"]) for row in rows) == answer["cents"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("usage", "someday"), "I don't know"),
        (("usage", "2024-01-01..2026-01-01"), "more than a year"),
        (("usage", "--json", "--csv"), "not both"),
        (("serve", "--socket", "--http"), "not both"),
        (("manifest", "--http", "ftp://nowhere"), "write --http https://"),
        (("nonsense",), "No such command"),
    ],
    ids=["unknown period", "too long", "two forms", "two modes", "no https", "unknown command"],
)
async def test_wrong_use_is_one_plain_sentence_and_exit_code_2(
    world: World, arguments: tuple[str, ...], words: str
) -> None:
    code, printed = await run(world, *arguments)
    assert code == 2
    assert words in printed
    assert "Traceback" not in printed


async def test_a_dry_run_prints_each_rule_its_value_its_level_and_the_reason_and_leaves_nothing(world: World) -> None:
    world.rules_file.write_text(RULES + "  - {name: Calls, metric: calls, threshold: 500}\n")
    world.cartesia.set_day(utc_day(world.now()), cents=4200, calls=20)
    code, printed = await run(world, "check", "--dry-run")
    assert code == 0
    spend = next(line for line in printed.splitlines() if "Daily spend" in line)
    assert "$42.00 of $50.00 (84%)" in spend
    assert "80%" in spend
    assert "CROSSED" in spend
    assert "BELOW" in next(line for line in printed.splitlines() if "Calls" in line)
    assert not (world.folder / "agent-usage.db").exists()


async def test_a_check_records_what_the_running_bot_then_sends_once(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=5320)
    code, printed = await run(world, "check")
    assert code == 0
    assert "CROSSED" in printed
    assert "1 message to deliver" in printed
    code, printed = await run(world, "check")
    assert "SAID" in printed
    await world.run()
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the alert")
    await world.checks(2)
    assert len(world.slack.calls_of("chat.postMessage")) == 1


async def test_rules_check_lists_every_mistake_and_exits_with_1(world: World) -> None:
    world.rules_file.write_text('chanel: "#x"\nrules:\n  - {name: A, threshold: 50}\n')
    code, printed = await run(world, "rules", "check")
    assert code == 1
    assert "rules.yaml:1:1: " in printed
    assert "rules.yaml:3:" in printed


@pytest.mark.usefixtures("executed")
async def test_rules_show_and_schema_print_whatever_the_terminal_can_show(world: World) -> None:
    world.rules_file.write_text(RULES.replace("Daily spend", "Täglich 🟡"), encoding="utf-8")
    code, printed = await run(world, "rules", "show", PYTHONIOENCODING="ascii")
    assert code == 0
    assert "T\\u00e4glich \\ud83d\\udfe1" in printed
    code, printed = await run(world, "rules", "schema")
    assert "threshold" in json.dumps(json.loads(printed))


async def test_an_env_that_cannot_be_read_ends_a_command_with_2_and_one_sentence(world: World) -> None:
    (world.folder / ".env").write_bytes("SLACK_BOT_TOKEN=xoxb-hush\n".encode("utf-16"))
    assert await run(world, "rules", "check") == (2, ".env: this is not UTF-8 text: save it again as UTF-8.")


async def test_what_an_env_says_is_taken_with_its_mark_and_a_misspelt_name_is_told(world: World) -> None:
    (world.folder / ".env").write_bytes(b"\xef\xbb\xbfRULES_FILE=none.yaml\nSLACK_SIGNIN_SECRET=hushhush\n")
    environment = {name: value for name, value in world.environment().items() if name != "RULES_FILE"}
    process = world.program("rules", "check")
    process.environment = environment
    await process.start()
    assert await process.ended() == 1
    warned, missing = process.lines
    assert warned.endswith("SLACK_SIGNIN_SECRET is no variable of this program: is SLACK_SIGNING_SECRET meant?")
    assert missing.startswith("none.yaml:1:1: there is no such file")


@pytest.mark.usefixtures("executed")
async def test_a_name_typed_where_the_locale_is_ascii_is_found(world: World) -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, printed = await run(world, "why", "Täglich", **locale)
    assert (code, "T\\u00e4glich" in printed) == (1, True)


async def test_a_cartesia_that_refuses_the_key_is_told_with_what_to_do_and_exit_code_1(world: World) -> None:
    code, printed = await run(world, "usage", CARTESIA_ADMIN_API_KEY="sk_car_admin_old")
    assert code == 1
    assert "get one at https://play.cartesia.ai/keys/admin" in printed


@pytest.mark.usefixtures("executed")
async def test_the_sandbox_tells_its_whole_story_and_exits_0(world: World) -> None:
    process = world.program("sandbox", "--story")
    await process.start()
    assert await process.ended(60) == 0
    assert any("exit code 0; 2 messages in #voice-spend" in line for line in process.lines)


@pytest.mark.usefixtures("executed")
async def test_the_sandbox_shows_its_page_soon_and_ends_with_0(world: World) -> None:
    """The aim is 2 seconds on a quiet machine; the guard allows for a busy one."""
    began = time.monotonic()
    process = world.program("sandbox", "--port", "0")
    await process.start()
    url = (await process.said("The sandbox is at")).split()[-1]
    async with httpx.AsyncClient() as http:
        page, state = await http.get(url), (await http.get(f"{url}/api/state")).json()
    took = time.monotonic() - began
    print(f"the page after {took:.2f} s")
    assert "<title>agent-usage sandbox</title>" in page.text
    assert [each["name"] for each in state["channels"]][:1] == ["voice-spend"]
    assert url.startswith("http://127.0.0.1:")
    assert took < 8
    await asyncio.sleep(1)
    assert await process.stop() == 0


async def test_a_port_that_is_taken_is_said_plainly(world: World) -> None:
    process = world.program("sandbox", "--port", str(world.slack.port))
    await process.start()
    assert await process.ended() == 1
    sentence = f"127.0.0.1:{world.slack.port} can't be listened on (Address already in use): "
    assert process.lines[-1] == f"{sentence}choose another port, or --port 0."


async def test_a_second_sandbox_takes_another_port_by_itself(world: World) -> None:
    both = [world.program("sandbox"), world.program("sandbox")]
    urls = []
    for each in both:
        await each.start()
        urls.append((await each.said("The sandbox is at")).split()[-1])
    assert len(set(urls)) == 2
    assert [await each.stop() for each in both] == [0, 0]


async def test_a_backtest_makes_no_database(world: World) -> None:
    sentence = "No usage has been read yet: `serve` and `check` keep what they read."
    assert await run(world, "backtest") == (1, sentence)
    assert not (world.folder / "agent-usage.db").exists()


async def test_a_backtest_shows_what_the_rules_would_have_said(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()) - timedelta(days=5), cents=6000, minutes=1000, calls=240)
    assert (await run(world, "check"))[0] == 0
    code, printed = await run(world, "backtest", "--days", "10", "--rule", "Daily spend")
    assert code == 0
    assert any("CROSSED" in line and "$60.00 of $50.00 (120%)" in line for line in printed.splitlines())
    sentence = "There is no rule 'Daily spent': did you mean 'Daily spend'?"
    assert await run(world, "backtest", "--rule", "Daily spent") == (2, sentence)


async def test_the_sandbox_with_real_usage_reads_the_figures_of_ones_own_key(world: World) -> None:
    """Here the simulated Cartesia of the test stands for the real one."""
    world.cartesia.set_day(utc_day(world.now()), cents=4444, minutes=740, calls=180)
    process = world.program("sandbox", "--port", "0", "--real-usage")
    await process.start()
    url = (await process.said("The sandbox is at")).split()[-1]
    async with httpx.AsyncClient() as http, asyncio.timeout(30):
        found: list[str] = []
        while not found:
            await asyncio.sleep(0.2)
            state = (await http.get(f"{url}/api/state")).json()
            found = [each["text"] for each in state["messages"] if "Daily spend: $44.44" in each["text"]]
        assert state["rules"]["text"] == world.rules_file.read_text(encoding="utf-8")  # a copy of the team's own
        refused = await http.post(f"{url}/api/clock", json={"speed": "day"})
        assert refused.json()["error"] == "That can't be done: the figures are your own, and their time is real."
    assert await process.stop() == 0
