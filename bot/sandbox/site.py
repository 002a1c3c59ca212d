"""The page's server: what there is to see as JSON, and what a person can do. On 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import get_args

from aiohttp import web

from bot.budget.backtest import READ_BEFORE, backtest
from bot.errors import BotError, FileMissing, FileUnreadable, SettingsError
from bot.rules.parse import parse
from bot.sandbox.loopback import LoopbackServer
from bot.sandbox.show import STEPS, RealUsage, Show, Speed
from bot.sandbox.slack.workspace import Json, Message, SlackRefusal, View
from bot.sandbox.snapshot import Snapshots, mistakes_of
from bot.settings import ReadingSettings, outward
from bot.store.database import open_database
from bot.store.ledger import Ledger
from bot.system.files import read_file
from bot.windows import utc_day
from bot.words.alerts import headline
from bot.words.units import window_words

PAGE = Path(__file__).with_name("page")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
USUAL_PORT = 8765
BACKTEST_DAYS = 60
LONGEST_STEP = max(STEPS.values())  # between two checks of the sandbox
SHOWN = 400  # of what a backtest finds

Act = Callable[[Json], Awaitable[Json | None]]


class Site(LoopbackServer):
    """One show on a page. `url` is where."""

    def __init__(self, show: Show, port: int = 0) -> None:
        super().__init__(port=port)
        self.show = show
        self._snapshots = Snapshots(show)

    def routes(self) -> list[web.RouteDef]:
        acts: dict[str, Act] = {
            "command": self._command,
            "say": self._say,
            "click": self._click,
            "submit": self._submit,
            "close": self._close,
            "home": self._home,
            "spend": self._spend,
            "profile": self._profile,
            "clock": self._clock,
            "rules": self._rules,
            "backtest": self._backtest,
            "fault": self._fault,
            "bot": self._bot,
        }
        return [
            web.get("/", self._page),
            web.get("/api/state", self._state),
            web.get("/api/events", self._events),
            *(web.post(f"/api/{name}", self._acting(act)) for name, act in acts.items()),
            web.get("/{file}", self._page),
        ]

    # What there is to see

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("file") or "index.html"
        file = PAGE / name
        if file.suffix not in KINDS or file.parent != PAGE or not file.is_file():
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
        }
        return web.Response(
            text=file.read_text(encoding="utf-8"), content_type=KINDS[file.suffix], charset="utf-8", headers=headers
        )

    async def _state(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "")
        known = re.fullmatch("[0-9]{1,12}", since)
        return web.json_response(self._snapshots.take(int(since) if known else -1))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """A line for every change; whoever hears it asks for the state."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        changes = self.show.world.slack.changes
        with contextlib.suppress(ConnectionError):
            while not self.stopping.is_set():
                count = changes.count
                await response.write(f"data: {count}\n\n".encode())
                with contextlib.suppress(TimeoutError):
                    await changes.until(lambda count=count: changes.count > count, 2.0)  # type: ignore[misc] # bound here
        return response

    # What a person can do

    def _acting(self, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.content_type != "application/json":  # no other site's form can send this
                return web.json_response({"error": "Send JSON."}, status=415)
            try:
                answer = await act(await request.json())
            except (LookupError, ValueError, TypeError, BotError, SlackRefusal) as error:
                trouble = f"there is no {error.args[0]}" if isinstance(error, KeyError) else str(error).rstrip(".")
                return web.json_response({"error": f"That can't be done: {trouble}."}, status=400)
            self.show.note()
            return web.json_response(answer or {})

        return answer

    async def _command(self, body: Json) -> Json:
        slack = self.show.world.slack
        typed = await slack.command("/agent-usage", str(body["text"]), user=body["user"], channel=body["channel"])
        return _unanswered(typed.error)

    async def _say(self, body: Json) -> None:
        self.show.world.slack.say(body["channel"], str(body["text"]), user=body["user"])

    async def _click(self, body: Json) -> Json:
        slack = self.show.world.slack
        clicked = await slack.click(self._acted_in(body), body["action_id"], user=body["user"], value=body.get("value"))
        return _unanswered(clicked.error)

    def _acted_in(self, body: Json) -> Message | View:
        """The message, the modal or the Home tab that somebody clicks in. Raises LookupError."""
        workspace = self.show.world.slack.workspace
        if body.get("view_id"):
            return workspace.views[body["view_id"]]
        place = (body.get("channel"), body.get("ts"))
        found: Message | View | None = workspace.home(body["user"]) if body.get("home") else None
        for message in workspace.posted:
            found = message if (message.channel, message.ts) == place else found
        if found is None:
            raise LookupError("there is no such message")
        return found

    async def _submit(self, body: Json) -> Json:
        view = self.show.world.slack.workspace.views[body["view_id"]]
        done = await self.show.world.slack.submit_view(view, body["values"], user=body["user"])
        return {"errors": done.errors} | _unanswered(done.error)

    async def _close(self, body: Json) -> None:
        await self.show.world.slack.close_view(self.show.world.slack.workspace.views[body["view_id"]])

    async def _home(self, body: Json) -> None:
        await self.show.world.slack.open_home(body["user"])

    async def _spend(self, body: Json) -> None:
        self.show.spend(body["what"])

    async def _profile(self, body: Json) -> None:
        self.show.choose(body["name"])

    async def _clock(self, body: Json) -> None:
        if body.get("jump") == "midnight":
            self.show.jump_to_midnight()
        elif body.get("speed") in get_args(Speed):
            self.show.go(body["speed"])
        else:
            raise ValueError("the clock knows paused, real, hour and day, and a jump to midnight")

    async def _rules(self, body: Json) -> Json:
        text = str(body["text"])
        written = self.show.folder / "rules.written"
        written.write_bytes(text.encode())  # all of it or nothing: the bot may look at any moment
        written.replace(self.show.world.rules_file)
        return {"mistakes": mistakes_of(text)}

    async def _backtest(self, _body: Json) -> Json:
        """What the rules in the file would have said over what the bot has read in this sandbox."""
        text = self.show.world.rules_file.read_text(encoding="utf-8")
        if mistakes_of(text):
            raise ValueError("the rules hold mistakes: mend them first")
        now = self.show.now()
        since = now - timedelta(days=BACKTEST_DAYS)
        database = open_database(self.show.world.database_url)
        try:
            rows = await Ledger(database).rows(utc_day(since - READ_BEFORE))
        finally:
            await database.close()
        found = await asyncio.to_thread(backtest, parse(text), rows, since, now, LONGEST_STEP)
        return {
            "days": BACKTEST_DAYS,
            "news": sum(each.decision.reason.is_news for each in found),
            "others": sum(not each.decision.reason.is_news for each in found),
            "said": [
                {
                    "at": each.at.isoformat(),
                    "rule": each.decision.standing.rule.name,
                    "window": window_words(each.decision.standing.window),
                    "reason": each.decision.reason.value,
                    "text": headline(each.decision.standing),
                }
                for each in found[-SHOWN:]
            ],
        }

    async def _fault(self, body: Json) -> None:
        self.show.fault(str(body["name"]), bool(body["on"]))

    async def _bot(self, body: Json) -> None:
        await (self.show.kill_bot() if body["what"] == "kill" else self.show.start_bot())


def _unanswered(error: str | None) -> Json:
    """What Slack shows where the app did not answer: nothing failed here, so it is no refusal of this server's."""
    return {"error": f"The bot did not answer (Slack says {error})."} if error else {}


async def show_page(port: int | None, real: ReadingSettings | None) -> int:
    """Serve the page until SIGINT or SIGTERM; with `real` settings, usage is read with their Cartesia key.

    Where no port is asked for, the usual one is taken, or any free one. Raises BotError where one that is asked for is
    taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="agent-usage-sandbox-") as folder:
        show = Show(Path(folder), _real_usage(real))
        async with show.world:
            site = await _listening(show, port)
            print(f"The sandbox is at {site.url}\nCtrl-C ends it.", flush=True)
            try:
                await show.start()
                await stop.wait()
            finally:
                await show.stop()
                await site.stop()
    return 0


async def _listening(show: Show, port: int | None) -> Site:
    ports = (USUAL_PORT, 0) if port is None else (port,)
    for each in ports:
        site = Site(show, each)
        try:
            await site.start()
        except OSError as error:
            trouble = os.strerror(error.errno or 0)
        else:
            return site
    raise BotError(f"127.0.0.1:{ports[-1]} can't be listened on ({trouble}): choose another port, or --port 0.")


def _real_usage(settings: ReadingSettings | None) -> RealUsage | None:
    if settings is None:
        return None
    environment = {
        "CARTESIA_ADMIN_API_KEY": settings.cartesia_admin_api_key.get_secret_value(),
        "CARTESIA_API_URL": settings.cartesia_api_url,
        **_to_cartesia(outward(os.environ)),  # noqa: TID251 what is set here, its bot needs
    }
    return RealUsage(environment, _rules_in(settings.rules_file))


def _to_cartesia(outward: Mapping[str, str]) -> dict[str, str]:
    """The same proxies and certificates, except that the simulated Slack is on this machine."""
    direct = outward.get("no_proxy") or outward.get("NO_PROXY")
    return {**outward, "no_proxy": f"{direct},127.0.0.1" if direct else "127.0.0.1"}


def _rules_in(file: Path) -> str | None:
    try:
        return read_file(file).decode(errors="replace")
    except FileMissing:
        return None
    except FileUnreadable as error:
        raise SettingsError([f"{file}: {error}."]) from None
