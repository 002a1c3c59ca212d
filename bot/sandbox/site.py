"""The page's server: what there is to see as JSON, and what a person can do. On 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.budget.backtest import READ_BEFORE, backtest
from bot.errors import BotError
from bot.model import Totals
from bot.rules.mistakes import RulesError
from bot.rules.parse import parse
from bot.sandbox.listening import LoopbackServer
from bot.sandbox.show import Show
from bot.sandbox.slack.workspace import ADMIN, Json, Message, User, View
from bot.settings import Settings
from bot.slack.alerts import headline
from bot.slack.parts import window_words
from bot.store.database import open_database
from bot.store.ledger import Ledger
from bot.windows import first_of_month, utc_day

PAGE = Path(__file__).with_name("page")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
BACKTEST_DAYS = 60
SHOWN = 400  # of the incidents that a backtest finds

Act = Callable[[Json], Awaitable[Json | None]]


class Site(LoopbackServer):
    """One show on a page. `url` is where."""

    def __init__(self, show: Show, port: int = 0) -> None:
        super().__init__(port=port)
        self.show = show
        self._seen: dict[tuple[str, str], tuple[str, int]] = {}
        self._errors: dict[str, dict[str, str]] = {}
        self._seq = 0

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
        return web.json_response(self.state(int(since) if since.isdigit() else -1))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """A line for every change; whoever hears it asks for the state."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        changes = self.show.world.slack.changes
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while not self.stopping.is_set():
                count = changes.count
                await response.write(f"data: {count}\n\n".encode())
                with contextlib.suppress(TimeoutError):
                    await changes.until(lambda count=count: changes.count > count, 2.0)  # type: ignore[misc] # bound here
        return response

    def state(self, since: int) -> Json:
        """Everything, with the messages that changed after the state numbered `since`; -1 for all."""
        show, slack = self.show, self.show.world.slack
        self._seq += 1
        now, proof = show.clock.now(), show.proof()
        today = utc_day(now)
        days = show.world.cartesia.days
        month = [totals for day, totals in days.items() if first_of_month(today) <= day <= today]
        return {
            "seq": self._seq,
            "now": now.isoformat(),
            "clock": {"speed": show.speed},
            "me": ADMIN,
            "users": [_user(each) for each in slack.workspace.users.values()],
            "channels": [
                {"id": each.id, "name": each.name, "members": sorted(each.members), "archived": each.archived}
                for each in slack.workspace.channels.values()
                if each.im_with is None
            ],
            "messages": [_message(each) for each in slack.workspace.posted if self._changed_at(each) > since],
            "views": [
                self._view(each) for each in slack.workspace.views.values() if each.is_open and each.type == "modal"
            ],
            "homes": {each.user: each.blocks for each in slack.workspace.views.values() if each.type == "home"},
            "account": {
                "real": bool(show.real_usage),
                "today": _totals(days.get(today, Totals())),
                "month": _totals(sum(month, Totals())),
                "profile": show.account.profile,
                "outage": show.account.outage,
            },
            "rules": self._rules_now(),
            "bot": {"running": show.is_running, "connected": bool(slack.socket.connections), "waiting": proof.waiting},
            "faults": sorted(show.faults),
            "proof": {
                "crossings": proof.crossings,
                "messages": proof.messages,
                "lost": proof.lost,
                "doubled": proof.doubled,
            },
        }

    def _changed_at(self, message: Message) -> int:
        """The number of the state in which the message was first seen as it is."""
        place = (message.channel, f"{message.ts} {message.visible_to or ''}")
        shown = json.dumps(_message(message), sort_keys=True)
        known, seq = self._seen.get(place, ("", 0))
        if known != shown:
            seq = self._seq
            self._seen[place] = (shown, seq)
        return seq

    def _view(self, view: View) -> Json:
        return {"id": view.id, "user": view.user, "content": view.content, "errors": self._errors.get(view.id, {})}

    def _rules_now(self) -> Json:
        text = self.show.world.rules_file.read_text(encoding="utf-8")
        return {"text": text, "mistakes": _mistakes(text)}

    # What a person can do

    def _acting(self, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.content_type != "application/json":  # no other site's form can send this
                return web.json_response({"error": "Send JSON."}, status=415)
            try:
                answer = await act(await request.json())
            except (KeyError, LookupError, ValueError, TypeError) as error:
                missing = f"there is no {error.args[0]}" if isinstance(error, KeyError) else str(error)
                return web.json_response({"error": f"That can't be done: {missing}."}, status=400)
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
        values = {block: value for block, inputs in body["values"].items() for value in inputs.values()}
        done = await self.show.world.slack.submit_view(view, values, user=body["user"])
        self._errors[view.id] = done.errors
        return {"errors": done.errors}

    async def _close(self, body: Json) -> None:
        await self.show.world.slack.close_view(self.show.world.slack.workspace.views[body["view_id"]])

    async def _home(self, body: Json) -> None:
        await self.show.world.slack.open_home(body["user"])

    async def _spend(self, body: Json) -> None:
        self.show.refuse_with_real_usage()
        account, now = self.show.account, self.show.clock.now()
        match body["what"]:
            case "calls":
                account.spend(now, 500)
            case "busy_hour":
                account.busy_hour(now)
            case "outage":
                account.outage = not account.outage
            case "restate":
                account.restate(now)
            case other:
                raise ValueError(f"there is no {other}")

    async def _profile(self, body: Json) -> None:
        self.show.choose(body["name"])

    async def _clock(self, body: Json) -> None:
        if body.get("jump") == "midnight":
            self.show.jump_to_midnight()
        elif body.get("speed") in ("paused", "real", "hour", "day"):
            self.show.go(body["speed"])
        else:
            raise ValueError("the clock knows paused, real, hour and day, and a jump to midnight")

    async def _rules(self, body: Json) -> Json:
        self.show.world.rules_file.write_text(str(body["text"]), encoding="utf-8")
        return {"mistakes": _mistakes(str(body["text"]))}

    async def _backtest(self, body: Json) -> Json:
        """What the rules in the file would have said over what the bot has read in this sandbox."""
        text = self.show.world.rules_file.read_text(encoding="utf-8")
        if _mistakes(text):
            raise ValueError("the rules hold mistakes: mend them first")
        now = self.show.clock.now()
        since = now - timedelta(days=int(body.get("days") or BACKTEST_DAYS))
        database = open_database(self.show.world.database_url)
        try:
            rows = await Ledger(database).rows(utc_day(since - READ_BEFORE))
        finally:
            await database.close()
        found = await asyncio.to_thread(backtest, parse(text), rows, since, now)
        return {
            "incidents": [
                {
                    "at": each.at.isoformat(),
                    "rule": each.decision.standing.rule.name,
                    "window": window_words(each.decision.standing.window),
                    "reason": each.decision.reason.value,
                    "text": headline(each.decision.standing),
                }
                for each in found[-SHOWN:]
            ]
        }

    async def _fault(self, body: Json) -> None:
        self.show.fault(str(body["name"]), bool(body["on"]))

    async def _bot(self, body: Json) -> None:
        await (self.show.kill_bot() if body["what"] == "kill" else self.show.start_bot())


def _unanswered(error: str | None) -> Json:
    """What Slack shows where the app did not answer: nothing failed here, so it is no refusal of this server's."""
    return {"error": f"The bot did not answer (Slack says {error})."} if error else {}


def _user(user: User) -> Json:
    role = "bot" if user.is_bot else "guest" if user.is_restricted else "admin" if user.is_admin else "member"
    return {"id": user.id, "name": user.name, "real_name": user.real_name or user.name, "role": role}


def _message(message: Message) -> Json:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "reply_broadcast": message.reply_broadcast,
        "edited": bool(message.edits),
        "visible_to": message.visible_to,
        "deleted": message.deleted,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {"cents": totals.cents, "minutes": float(totals.minutes), "calls": totals.calls}


def _mistakes(text: str) -> list[Json]:
    try:
        parse(text)
    except RulesError as error:
        return [{"line": each.line, "column": each.column, "text": each.message} for each in error.mistakes]
    return []


async def show_page(port: int, real: Settings | None) -> int:
    """Serve the page until SIGINT or SIGTERM; with `real` settings, usage is read with their Cartesia key."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="agent-usage-sandbox-") as folder:
        show = Show(Path(folder), _real_usage(real))
        async with show.world, _listening(Site(show, port)) as site:
            print(f"The sandbox is at {site.url}\nCtrl-C ends it.", flush=True)
            await show.start()
            try:
                await stop.wait()
            finally:
                await show.stop()
    return 0


@contextlib.asynccontextmanager
async def _listening(site: Site) -> AsyncIterator[Site]:
    try:
        await site.start()
    except OSError as error:
        raise BotError(
            f"127.0.0.1:{site.port} can't be listened on ({error.strerror}): choose another port, or --port 0."
        ) from None
    try:
        yield site
    finally:
        await site.stop()


def _real_usage(real: Settings | None) -> dict[str, str]:
    if real is None or real.cartesia_admin_api_key is None:
        return {}
    return {
        "CARTESIA_ADMIN_API_KEY": real.cartesia_admin_api_key.get_secret_value(),
        "CARTESIA_API_URL": real.cartesia_api_url,
    }
