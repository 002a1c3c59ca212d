"""The start, while Slack asks to wait before it says whether it takes a token."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import elapsed
from bot.rules.access import Workspace
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import TEAM_ID
from bot.sandbox.world import real_now
from bot.settings import SocketSettings, load
from bot.slack.connection import START_PATIENCE, TokenTrial, slack_client


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(real_now) as slack:
        yield slack


def settings(slack: SimulatedSlack) -> SocketSettings:
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    return load({"CARTESIA_ADMIN_API_KEY": "sk_car_admin_x", "SLACK_API_URL": slack.api_url, **tokens}, SocketSettings)


async def started(slack: SimulatedSlack, patience: float) -> tuple[Workspace | None, list[str]]:
    """The workspace that the trial found, and what it was told to wait for."""
    given, waits = settings(slack), list[str]()
    client = slack_client(given, given.slack_bot_token, retries=True)
    return await TokenTrial(client, waits.append, elapsed() + patience).of(given.slack_app_token), waits


async def test_a_short_wait_is_waited_for(slack: SimulatedSlack) -> None:
    slack.faults.add("auth.test", Fault("status", status=429, retry_after=0.1))
    workspace, waits = await started(slack, START_PATIENCE)
    assert workspace == Workspace(TEAM_ID)
    assert waits == [
        "Slack is asked whether it takes SLACK_BOT_TOKEN.",
        "Slack asks to wait before it says whether it takes SLACK_BOT_TOKEN: waiting 1 s.",
        "Slack is asked whether it takes SLACK_APP_TOKEN.",
    ]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", status=429, retry_after=1e9), id="asked to wait"),
        pytest.param(Fault("slow", seconds=30), id="not answered"),
    ],
)
async def test_a_wait_without_end_holds_up_the_start_for_its_patience_alone(
    slack: SimulatedSlack, fault: Fault
) -> None:
    for method in ("auth.test", "apps.connections.open"):
        slack.faults.add(method, fault, times=None)
    began = elapsed()
    workspace, _ = await started(slack, 0.2)
    assert workspace is None
    assert elapsed() - began < 2
