"""What the endpoints say: reasons, warnings, and a database that is lost or does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.cartesia.shared import SharedReadings
from bot.errors import StoreError
from bot.jobs.deliver import Deliveries
from bot.jobs.destinations import Destinations
from bot.jobs.rules_in_force import RulesInForce
from bot.operate.health import Health, Report, Source
from bot.store.leases import Lease
from bot.store.ledger import Condition, Ledger
from bot.store.outbox import Backlog

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EMPTY = Backlog(0, 0, None, None)


def says(*sentences: str) -> Source:
    async def source() -> Sequence[str]:
        return sentences

    return source


async def lost() -> Sequence[str]:
    raise StoreError("The database did not do its part: gone.")


async def hanging() -> Sequence[str]:
    await asyncio.Event().wait()
    return ()


def health(
    backlog: Backlog | None = EMPTY,
    noted: Mapping[str, list[Condition]] | None = None,
    asked_to_wait: float = 0.0,
    **sources: Any,
) -> Health:
    """With an outbox (None never answers), conditions and sources of the test's own; all else is well."""

    async def conditions(name: str) -> list[Condition]:
        return (noted or {}).get(name, [])

    async def waiting() -> Backlog:
        if backlog is None:
            await asyncio.Event().wait()
        return backlog or EMPTY

    rules = SimpleNamespace(current=SimpleNamespace(rules=()), mistakes=(), source=SimpleNamespace(name="rules.yaml"))
    return Health(
        ledger=cast("Ledger", SimpleNamespace(conditions=conditions)),
        lease=cast("Lease", SimpleNamespace(may_read=False)),
        deliveries=cast("Deliveries", SimpleNamespace(backlog=waiting)),
        destinations=cast("Destinations", SimpleNamespace(problems=())),
        rules=cast("RulesInForce", rules),
        usage=cast("SharedReadings", SimpleNamespace(last=lambda _: None, outage=None, asked_to_wait=asked_to_wait)),
        interval=timedelta(minutes=5),
        now=lambda: NOW,
        **sources,
    )


@pytest.mark.parametrize(
    ("report", "ready", "well"),
    [(Report(), True, True), (Report(warnings=("w",)), True, False), (Report(reasons=("r",)), False, False)],
    ids=["all is well", "a warning", "a reason"],
)
def test_a_warning_keeps_no_traffic_away_but_is_not_well(report: Report, ready: bool, well: bool) -> None:
    assert (report.is_ready, report.is_well) == (ready, well)
    assert report.json() == {"ok": ready, "reasons": list(report.reasons), "warnings": list(report.warnings)}


async def test_blindness_and_doubted_figures_are_warnings_among_those_of_other_parts() -> None:
    told, untold = Condition("", NOW, told=True), Condition("", NOW, told=False)
    report = await health(
        noted={"usage": [told, untold], "account": [untold]},
        reasons=(says("not connected"),),
        warnings=(says("deaf", "crowded"),),
    ).report()
    doubted = "the figures of past days changed all at once; the next reading decides"
    assert report == Report(("not connected",), ("deaf", "crowded", "blind since 2026-11-23 12:00 UTC", doubted))


@pytest.mark.parametrize(
    ("seconds", "warnings"),
    [(100.0, ()), (3600.0, ("Cartesia asks to wait: usage is read again in 3600 s",))],
    ids=["a short one", "a long one"],
)
async def test_a_long_wait_that_cartesia_asks_for_is_a_warning(seconds: float, warnings: tuple[str, ...]) -> None:
    assert (await health(asked_to_wait=seconds).report()).warnings == warnings


async def test_a_lost_database_is_one_reason_and_hides_no_other_warning() -> None:
    report = await health(warnings=(lost, lost, says("deaf"))).report()
    assert report == Report(("The database did not do its part: gone.",), ("deaf",))


async def test_a_database_that_hangs_is_a_reason_after_a_while() -> None:
    async with asyncio.timeout(5):
        report = await health(warnings=(says("deaf"), hanging), patience=0.05).report()
    assert report == Report(("The database did not answer within 0.05 seconds.",), ("deaf",))


async def test_however_many_ask_at_once_the_database_is_asked_once() -> None:
    asked = 0

    async def count() -> Sequence[str]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return ()

    crowded = health(warnings=(count,))
    await asyncio.gather(*(crowded.report() for _ in range(100)))
    await crowded.report()
    assert asked == 2


@pytest.mark.parametrize(
    ("backlog", "line"),
    [
        (EMPTY, (True, "every message is delivered")),
        (
            Backlog(8, 0, None, NOW - timedelta(seconds=9)),
            (True, "8 messages on the way; a channel takes about one a second"),
        ),
        (
            Backlog(8, 0, None, NOW - timedelta(minutes=3)),
            (False, "8 messages to deliver, the oldest since 2026-11-23 11:57 UTC"),
        ),
        (
            Backlog(8, 1, "#voice-spend: http_503", NOW),
            (False, "1 of 8 messages to deliver not taken yet (#voice-spend: http_503)"),
        ),
    ],
    ids=["nothing waits", "paced", "late", "refused"],
)
async def test_only_what_was_refused_or_is_late_is_red(backlog: Backlog, line: tuple[bool, str]) -> None:
    assert (await health(backlog).status()).lines[-1] == line


async def test_status_is_said_though_the_outbox_hangs() -> None:
    async with asyncio.timeout(5):
        answer = await health(None, warnings=(hanging,), patience=0.05).status()
    assert answer.lines[0] == (False, "The database did not answer within 0.05 seconds.")


async def test_status_begins_with_what_is_wrong_and_what_was() -> None:
    told = health(
        reasons=(says("not connected"),), warnings=(says("deaf"),), remarks=(lambda: [(True, "heard again")],)
    )
    assert (await told.status()).lines[:3] == ((False, "not connected"), (False, "deaf"), (True, "heard again"))
