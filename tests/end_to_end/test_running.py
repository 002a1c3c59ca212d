"""Starting, stopping, and what is refused at start."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.world import BotProcess, World
from bot.windows import utc_day


async def reasons(bot: BotProcess) -> tuple[int, list[str]]:
    """What `/readyz` says."""
    port = (await bot.said("listening on port")).split()[-1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
        return answer.status_code, answer.json()["reasons"]


@pytest.mark.usefixtures("executed")
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_sigterm_exits_0_within_20_seconds(world: World, mode: str) -> None:
    bot = await (world.run() if mode == "socket" else world.run_http())
    await world.checks()
    began = time.monotonic()
    assert await bot.stop() == 0
    assert time.monotonic() - began < 20


async def test_sigterm_while_everything_hangs_still_exits_0_within_20_seconds(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=9000)
    bot = await world.run(PORT="0", HOST="127.0.0.1")
    world.cartesia.faults.add("usage", Fault("hang"), times=None)
    world.slack.faults.add("chat.postMessage", Fault("hang"), times=None)
    await asyncio.sleep(1.5)
    began = time.monotonic()
    stopping = asyncio.create_task(bot.stop())
    await bot.said("stopping")
    assert await reasons(bot) == (503, ["stopping"])
    assert await stopping == 0
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("variable", "value"), [("SLACK_BOT_TOKEN", "xoxb-revoked-one"), ("SLACK_APP_TOKEN", "xapp-1-revoked-one")]
)
async def test_a_token_that_slack_refuses_ends_the_start_with_2(world: World, variable: str, value: str) -> None:
    bot = world.program("serve", **{variable: value})
    await bot.start()
    assert await bot.ended() == 2
    assert variable in bot.lines[-1]
    assert value not in "\n".join(bot.lines)


@pytest.mark.usefixtures("executed")
async def test_missing_variables_are_all_named_at_once_and_end_the_start_with_2(world: World) -> None:
    bot = world.program("serve", CARTESIA_ADMIN_API_KEY="", SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="", CHECK_INTERVAL="x")
    await bot.start()
    assert await bot.ended() == 2
    named = [line.split(" ")[0].rstrip(":") for line in bot.lines]
    assert named == ["CARTESIA_ADMIN_API_KEY", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "CHECK_INTERVAL"]


async def test_bad_rules_with_nothing_to_fall_back_on_end_the_start_with_2(world: World) -> None:
    world.rules_file.write_text('channel: "#voice-spend"\nrules:\n  - {name: A, treshold: $5}\n')
    bot = world.program("serve")
    await bot.start()
    assert await bot.ended() == 2
    assert any("rules.yaml:3:15: " in line and "threshold" in line for line in bot.lines), bot.lines


async def test_health_endpoints_answer_in_socket_mode_where_a_port_is_set(world: World) -> None:
    bot = await world.run(PORT="0", HOST="127.0.0.1")
    port = (await bot.said("listening on port")).split()[-1]
    await world.checks()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/healthz")).status_code == 200
        for path in ("/readyz", "/status"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()) == (200, {"ok": True, "reasons": [], "warnings": []})


async def test_a_dropped_socket_is_replaced_and_commands_are_answered_again(world: World) -> None:
    bot = await world.run()
    world.slack.socket.drop_all()
    bot.lines.clear()
    await bot.said("connected to Slack", 30)
    answer = await (await world.slack.command("/agent-usage", "help")).answer()
    assert "budgets" in answer.text


async def test_slack_unreachable_at_start_is_waited_for(world: World) -> None:
    world.slack.faults.add("auth.test", Fault("drop"), times=2)
    world.slack.faults.add("apps.connections.open", Fault("status", status=503), times=3)
    await world.run()
    assert (await (await world.slack.command("/agent-usage", "help")).answer()).text


@pytest.mark.usefixtures("executed")
@pytest.mark.parametrize("delay", [0.15, 0.5, 0.9])
async def test_sigterm_while_it_is_still_loading_exits_0(world: World, delay: float) -> None:
    bot = world.program("serve")
    await bot.start()
    await asyncio.sleep(delay)
    assert await bot.stop() == 0


@pytest.mark.usefixtures("executed")
async def test_sigterm_in_an_import_that_swallows_exceptions_exits_0(world: World) -> None:
    (world.folder / "sitecustomize.py").write_text(SWALLOWS_SIGTERM)
    path = f"{world.folder}:{world.environment()['PYTHONPATH']}"
    bot = world.program("serve", PYTHONPATH=path)
    await bot.start()
    assert await bot.ended() == 0


# The signal arrives while bot.cli is looked for, in a place where Python ignores what is raised.
SWALLOWS_SIGTERM = """
import os, signal, sys

class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

class Finder:
    def find_spec(self, name, path, target=None):
        if name == "bot.cli":
            Swallows()

sys.meta_path.insert(0, Finder())
"""


async def test_a_port_that_is_taken_is_said_in_one_sentence(world: World) -> None:
    bot = world.program("serve", PORT=str(world.cartesia.port), HOST="127.0.0.1")
    await bot.start()
    assert await bot.ended() == 1
    assert "set HOST and PORT to a free one" in bot.lines[-1]
    assert not any("Traceback" in line for line in bot.lines)


async def test_no_secret_shows_anywhere_through_faults_of_every_kind(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=9000)
    for kind in ("drop", "garbage", "status"):
        world.cartesia.faults.add("usage", Fault(kind))
        world.slack.faults.add("chat.postMessage", Fault(kind))
        world.slack.faults.add("auth.test", Fault(kind))
    bot = await world.run(LOG_LEVEL="DEBUG", SLACK_SIGNING_SECRET=world.slack.signing_secret)
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 20, "the alert")
    await world.slack.command("/agent-usage", "status")
    await bot.stop()
    written = b"".join(file.read_bytes() for file in world.folder.iterdir()) + "\n".join(bot.lines).encode()
    shown = repr([message.json() for message in world.slack.messages("voice-spend")]).encode()
    for words in ("Slack sent /agent-usage", "Slack's chat.postMessage: ok", "Cartesia's /usage/agents: 200"):
        assert any("DEBUG" in line and words in line for line in bot.lines)
    secrets = [world.cartesia.admin_key, world.slack.bot_token, world.slack.app_token, world.slack.signing_secret]
    assert [secret for secret in secrets if secret.encode() in written + shown] == []


async def test_a_second_bot_on_the_same_sqlite_file_stands_by_and_takes_over(world: World) -> None:
    first = await world.run()
    second = world.program("serve", PORT="0", HOST="127.0.0.1")
    await second.start()
    await second.said("standing by")
    assert await reasons(second) == (503, ["starting"])
    await first.stop(9)
    await second.said("connected to Slack", 15)
    assert await reasons(second) == (200, [])


async def test_a_second_bot_on_the_same_port_as_well_takes_over_both(world: World) -> None:
    first = await world.run_http()
    port = str(world.slack.request_url).split(":")[2].split("/")[0]
    secret = world.slack.signing_secret
    second = world.program("serve", "--http", SLACK_SIGNING_SECRET=secret, HOST="127.0.0.1", PORT=port)
    await second.start()
    await second.said("standing by")
    assert await first.stop() == 0
    await second.said("running in HTTP mode", 15)
    assert (await world.slack.command("/agent-usage", "help")).acknowledged


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://bot:secret@half:otherhalf@db/prod", "DATABASE_URL: write postgresql://USER:PASSWORD@HOST:PORT"),
        ("sqlite:////nowhere/usage.db", "there is no folder /nowhere: create it, or correct DATABASE_URL."),
    ],
    ids=["malformed", "no folder"],
)
async def test_a_database_that_waiting_cannot_mend_ends_a_command_at_once_with_2(
    world: World, command: str, address: str, words: str
) -> None:
    began = time.monotonic()
    process = world.program(command, DATABASE_URL=address)
    await process.start()
    assert await process.ended() == 2
    assert time.monotonic() - began < 10
    [line] = process.lines
    assert words in line
    assert "half" not in line


async def test_every_call_to_slack_goes_past_the_proxy_where_no_proxy_says_so(world: World) -> None:
    """The proxy is dead, so whatever asked it would be missing here."""
    world.cartesia.set_day(utc_day(world.now()), cents=4200)
    dead = "http://me:hushhush@127.0.0.1:1"
    bot = await world.run(HTTP_PROXY=dead, HTTPS_PROXY=dead, NO_PROXY="::1/128, 127.0.0.1", LOG_LEVEL="DEBUG")
    [warned] = await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the warning")
    assert "$42.00" in (await (await world.slack.command("/agent-usage", "today")).answer()).text
    assert await (await world.slack.click(warned, "snooze", value="amount:1")).view()
    assert not any("hushhush" in line for line in bot.lines)


async def test_a_database_that_cannot_be_reached_is_said_plainly_and_ends_a_command_with_1(world: World) -> None:
    process = world.program("check", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    await process.start()
    assert await process.ended() == 1
    assert "The database did not do its part" in process.lines[-1]
    assert not any("Traceback" in line for line in process.lines)
