"""The composition root: builds the running bot from the settings, starts it, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from bot.cartesia.client import CartesiaClient
from bot.cartesia.shared import SharedReadings
from bot.clock import elapsed
from bot.commands.all import COMMANDS
from bot.commands.context import Context
from bot.commands.handler import CommandHandler
from bot.commands.incidents import IncidentActions
from bot.errors import BotError, DatabaseUnusable, StoreError
from bot.events import Enqueued, Event, Observers
from bot.jobs.channel_ids import ChannelIds
from bot.jobs.check import Checker, checker_of
from bot.jobs.deliver import Deliveries, Pace
from bot.jobs.delivery_outage import DeliveryWatch
from bot.jobs.destinations import Destinations
from bot.jobs.prune import pruning
from bot.jobs.rules_in_force import RulesInForce, Texts
from bot.jobs.rules_watch import RulesWatch
from bot.jobs.runner import Runner, Timer
from bot.jobs.scheduled_check import ScheduledCheck
from bot.jobs.sending import Sending
from bot.listeners.access_control import AccessControl, register_access_control
from bot.listeners.actions import register_actions
from bot.listeners.commands import Responder, register_commands
from bot.listeners.dispatch import Dispatcher
from bot.listeners.http_mode import HttpMode
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.socket_mode import SocketMode
from bot.listeners.unhandled import register_unhandled
from bot.logs import repeats
from bot.operate.endpoints import PORT_PATIENCE, Endpoints, PortTaken
from bot.operate.event_log import EventLog
from bot.operate.health import Health
from bot.operate.heartbeat import Heartbeat
from bot.rules.source import RulesFile
from bot.settings import HttpSettings, ReadingSettings, ServeSettings, Settings, SocketSettings
from bot.slack import blocks
from bot.slack.connection import TokenTrial, bolt_app, slack_client
from bot.slack.people import People
from bot.slack.response_urls import Responses
from bot.slack.sender import Sender
from bot.store.acts import Acts
from bot.store.admissions import Admissions
from bot.store.database import Database, open_database
from bot.store.incidents import IncidentStore
from bot.store.leases import Lease
from bot.store.ledger import Ledger
from bot.store.migrate import migrate
from bot.store.outbox import Outbox
from bot.system.network import http_client

ASKER_PATIENCE = 30.0  # seconds that somebody at a terminal waits for Cartesia; a check may wait for an interval
DATABASE_PATIENCE = 60.0  # seconds at start
ROUND_PATIENCE = 2.0  # seconds for the loops to end their rounds when the bot stops
STOP_PATIENCE = 11.0  # seconds for what is in hand; the whole stop is promised within 20
HTTP_PORT = 3000
POLL_EVERY = 0.25  # seconds between two looks at whether a check is due

log = logging.getLogger(__name__)

Now = Callable[[], datetime]


class BackgroundTasks:
    """Work that outlives its acknowledgement: kept until it is done, so that a stop can wait for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def finish(self) -> None:
        """Wait for what is begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("Unexpected error in a background task", exc_info=error)


@dataclass(frozen=True)
class _Waker:
    """Lets the delivery loop look at once for what was put in the outbox."""

    deliveries: Deliveries

    def observe(self, event: Event) -> None:
        if isinstance(event, Enqueued):
            self.deliveries.wake()


@dataclass(frozen=True)
class Bot:
    """The parts of one running bot that are started and stopped."""

    dispatcher: Dispatcher
    people: People
    lease: Lease
    rules: RulesInForce
    usage: SharedReadings
    checker: Checker
    deliveries: Deliveries
    runner: Runner
    health: Health
    rejected: RejectedRequests
    socket: SocketMode
    background_tasks: BackgroundTasks
    stop: asyncio.Event


def reading_parts(
    settings: ReadingSettings,
    http: httpx.AsyncClient,
    now: Now,
    patience: float = ASKER_PATIENCE,
    seconds: Callable[[], float] = elapsed,
) -> SharedReadings:
    """What reads usage; the retries of one reading end after so many seconds."""
    client = CartesiaClient(http, settings.cartesia_api_url, settings.cartesia_admin_api_key, now)
    return SharedReadings(client, now, patience, seconds)


def rules_parts(settings: Settings, ledger: Ledger, now: Now) -> RulesInForce:
    """The watched rules file."""
    return RulesInForce(RulesFile(settings.rules_file), ledger, now, Texts(blocks.rules_broken, blocks.rules_mended))


@dataclass(frozen=True)
class Timing:
    """How fast the loops go: the pace of deliveries, the seconds that check intervals and outages are counted in, and
    how often a look tells whether a check is due. The sandbox alone has another one than this."""

    pace: Pace = field(default_factory=Pace)
    seconds: Callable[[], float] = elapsed
    poll_every: float = POLL_EVERY


def build(
    settings: ServeSettings,
    database: Database,
    http: httpx.AsyncClient,
    now: Now,
    timing: Timing,
    rejected: RejectedRequests,
) -> Bot:
    """Put the parts together; nothing is started."""
    holder = secrets.token_hex(6)
    ledger, lease = Ledger(database), Lease(database, holder)
    background_tasks, observers = BackgroundTasks(), Observers()
    patience = max(ASKER_PATIENCE, settings.check_interval.total_seconds())
    rules, usage = rules_parts(settings, ledger, now), reading_parts(settings, http, now, patience, timing.seconds)
    outbox = Outbox(database, holder)
    sender = Sender(slack_client(settings, settings.slack_bot_token, retries=False), lambda: lease.may_post)
    channel_ids = ChannelIds(sender, outbox)
    sending = Sending(outbox, sender, channel_ids, lambda: rules.current.operations_channel)
    deliveries = Deliveries(outbox, sending, lambda: lease.may_post, now, timing.pace)
    incidents = IncidentStore(database)
    checker = checker_of(usage, rules, database, settings.blind_for, now, observers, timing.seconds)
    stop = asyncio.Event()
    delivery_watch = DeliveryWatch(
        ledger,
        deliveries,
        lambda: rules.current.operations_channel,
        now,
        settings.blind_for,
        observers,
        timing.seconds,
    )
    destinations = Destinations(sender, channel_ids, ledger, lambda: rules.current, now, observers)
    checks = Timer(settings.check_interval.total_seconds(), 0.0, timing.seconds, timing.poll_every)
    jobs = (
        ScheduledCheck(checker, lease, checks).job(),
        checker.freshness.job(checks, checker.look_away),
        RulesWatch(rules, checker, lambda: lease.may_read, observers).job(),
        delivery_watch.job(),
        destinations.job(),
        pruning(ledger, settings.kept_for, now, timing.seconds),
    )
    runner = Runner(jobs, lambda: lease.may_read, stop, observers)
    observers.add(EventLog(), _Waker(deliveries))
    if settings.heartbeat_url:
        observers.add(Heartbeat(http, settings.heartbeat_url, delivery_watch.warnings, background_tasks.add))
    socket = SocketMode(lease.alive)
    health = Health(
        *(ledger, lease, deliveries, destinations, rules, usage, settings.check_interval, now),
        reasons=(socket.reasons,),
        warnings=(rejected.warnings, socket.warnings, delivery_watch.warnings),  # the database's last: it may hang
        remarks=(rejected.remarks, socket.remarks),
    )
    reads = slack_client(settings, settings.slack_bot_token, retries=True)
    app = bolt_app(reads)
    on_incidents = IncidentActions(incidents, ledger, rules, now, observers)
    acts = Acts(database)
    context = Context(
        COMMANDS, rules, usage, ledger, checker, on_incidents, acts, health.status, lambda: lease.may_read, now
    )
    asking = slack_client(settings, settings.slack_bot_token, retries=False)  # a look-up has no time for a second try
    people = People(asking, Admissions(database), background_tasks.add)
    responses = Responses(http, settings.slack_api_url)
    access_control = AccessControl(people, lambda: rules.current.access, responses)
    register_unhandled(app, rejected)
    register_access_control(app, access_control, background_tasks.add)
    responder = Responder(CommandHandler(context), responses, later=background_tasks.add)
    register_commands(app, responder)
    register_actions(app, responder, access_control, acts)
    dispatcher = Dispatcher(app, rejected)
    return Bot(
        dispatcher,
        people,
        lease,
        rules,
        usage,
        checker,
        deliveries,
        runner,
        health,
        rejected,
        socket,
        background_tasks,
        stop,
    )


async def open_store(settings: Settings, patience: float, waiting: Callable[[str], None] | None = None) -> Database:
    """The database, at its current schema; one that can't be reached yet is waited for. Raises StoreError.

    `waiting` is told for what, as a sentence.
    """
    database = open_database(settings.database_url.get_secret_value())
    try:
        await _migrate_within(database, patience, waiting)
    except StoreError:
        await database.close()
        raise
    return database


async def _migrate_within(database: Database, patience: float, waiting: Callable[[str], None] | None) -> None:
    """Bring the database to its current schema within so many seconds. Raises StoreError."""
    give_up = elapsed() + patience
    while True:
        try:
            if await migrate(database):
                log.info("the database was brought to the current schema")
        except DatabaseUnusable:
            raise
        except StoreError as error:
            if elapsed() > give_up:
                raise
            left = give_up - elapsed()
            same = repeats("database at start", str(error))
            log.warning("%s Waiting for it, at most %.0f s more.", error, left, extra=same)
            if waiting:
                waiting(str(error))
            await asyncio.sleep(1)
        else:
            return


async def migrate_only(settings: Settings) -> int:
    """Bring the database to the current schema. Raises StoreError."""
    await (await open_store(settings, DATABASE_PATIENCE)).close()
    return 0


async def serve(settings: ServeSettings, now: Now, timing: Timing | None = None) -> int:
    """Run until SIGTERM or SIGINT (0), or until a restart is the best that can happen (1)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    takes_slack = isinstance(settings, HttpSettings)
    port = HTTP_PORT if takes_slack and settings.port is None else settings.port
    endpoints = Endpoints(settings.host, port, RejectedRequests(now), takes_slack=takes_slack)
    serving = asyncio.create_task(_serve(settings, now, timing or Timing(), endpoints))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        stopping.cancel()
        return serving.result()
    log.info("stopping")
    endpoints.stop()
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    return 0


async def _serve(settings: ServeSettings, now: Now, timing: Timing, endpoints: Endpoints) -> int:
    """Start the parts in order; the stack stops them in the other one."""
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(http_client())
        stack.push_async_callback(endpoints.close)
        await _listen(endpoints, settings)
        database = await open_store(settings, DATABASE_PATIENCE, endpoints.wait_for)
        stack.push_async_callback(database.close)
        bot = build(settings, database, http, now, timing, endpoints.rejected)
        app_token = settings.slack_app_token if isinstance(settings, SocketSettings) else None
        bot.people.workspace = await TokenTrial(bot.dispatcher.app.client, endpoints.wait_for).of(app_token)
        endpoints.wait_for("")
        await bot.rules.start()
        stood_by = await bot.lease.begin()
        stack.push_async_callback(_leave, bot)
        await endpoints.open(PORT_PATIENCE if stood_by else 0.0)
        await bot.checker.account.start()
        stack.push_async_callback(_finish, bot)
        await stack.enter_async_context(_receiving(bot, settings, now, endpoints))
        return await _run(bot, socket=isinstance(settings, SocketSettings))


async def _listen(endpoints: Endpoints, settings: Settings) -> None:
    """Listen from the start on, unless the port is still that of a process which this one may stand by for."""
    try:
        await endpoints.open()
    except PortTaken as error:
        if not settings.database_url.get_secret_value().startswith("sqlite"):
            raise
        log.warning("%s Whoever has it may work with the same database, so it is tried again once that is free.", error)


@contextlib.asynccontextmanager
async def _receiving(bot: Bot, settings: ServeSettings, now: Now, endpoints: Endpoints) -> AsyncIterator[None]:
    """Take what Slack sends, by Socket Mode or by HTTP, until the end of this context."""
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(settings, SocketSettings):
            await stack.enter_async_context(bot.socket.open(bot.dispatcher, settings.slack_app_token))
            endpoints.start(bot.health.report, None)
            log.info("running in Socket Mode")
        else:
            http_mode = HttpMode(bot.dispatcher, settings.slack_signing_secret, bot.rejected, now)
            stack.push_async_callback(http_mode.finish)
            endpoints.start(bot.health.report, http_mode)
            log.info("running in HTTP mode, listening; Slack has not been heard yet")
        stack.callback(endpoints.stop)
        yield


async def _run(bot: Bot, *, socket: bool) -> int:
    """The loops, until the connection is lost for good or one of them fails (1), or this is cancelled."""
    endless = (
        *(bot.runner.repeat(job) for job in bot.runner.jobs),
        bot.deliveries.run(bot.stop),
        bot.lease.run(bot.stop),
    )
    rounds = [asyncio.create_task(work) for work in endless]
    tasks = [*rounds, *([asyncio.create_task(bot.socket.lost())] if socket else [])]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if error := task.exception():
                _tell_end(error)
        return 1
    finally:
        bot.stop.set()
        bot.deliveries.wake()
        await asyncio.wait(rounds, timeout=ROUND_PATIENCE)  # a loop that is writing ends its round
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_end(error: BaseException) -> None:
    if isinstance(error, BotError):
        log.error("%s", error)
    else:
        log.error("Unexpected error in a part of the bot; it restarts", exc_info=error)


async def _finish(bot: Bot) -> None:
    """Finish what is in hand: answers being given, messages being sent."""
    try:
        async with asyncio.timeout(STOP_PATIENCE):
            await asyncio.gather(bot.deliveries.drain(), bot.background_tasks.finish())
    except TimeoutError:
        log.warning("stopped with something in hand; it is settled at the next start")
    await bot.usage.close()


async def _leave(bot: Bot) -> None:
    try:
        await bot.lease.end()
    except StoreError as error:
        log.warning("%s Others take over when the lease ends.", error)
