"""Faults on demand: what the next calls of an endpoint suffer instead of, or besides, being performed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from bot.sandbox.waiting import set_within

ANY_ENDPOINT = "*"


class FaultKind(StrEnum):
    """What goes wrong. `accept_…` kinds perform the call first: it takes effect, but the caller never learns of it."""

    DROP = "drop"
    ACCEPT_THEN_DROP = "accept_then_drop"
    ACCEPT_THEN_STATUS = "accept_then_status"
    ACCEPT_THEN_HANG = "accept_then_hang"
    ACCEPT_THEN_REFUSE = "accept_then_refuse"
    ACCEPT_THEN_ANSWER = "accept_then_answer"
    HANG = "hang"
    SLOW = "slow"
    STATUS = "status"
    REFUSE = "refuse"
    GARBAGE = "garbage"
    ANSWER = "answer"

    @property
    def performs(self) -> bool:
        """True where the call takes effect."""
        return self is FaultKind.SLOW or self.value.startswith("accept_")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `status` is the HTTP status of the `status` kinds; `retry_after` (seconds) goes into the `Retry-After` header;
    `error` is the vendor's error word; `seconds` is how long `slow` waits; `body` replaces the body of the answer, for
    the `answer` kinds as JSON.
    """

    kind: FaultKind | str
    status: int = 500
    retry_after: float | None = None
    error: str = "internal_error"
    seconds: float = 1.0
    body: str = "<html>Bad gateway</html>"

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}


@dataclass(slots=True)
class _Planned:
    """A fault and when it strikes: after `wait` further calls, then `times` times (None: until cleared)."""

    fault: Fault
    times: int | None
    wait: int
    where: Callable[[Mapping[str, Any]], bool] | None


@dataclass(slots=True)
class Faults:
    """The planned faults of one server, by endpoint name; `*` stands for every endpoint."""

    _planned: dict[str, list[_Planned]] = field(default_factory=dict)

    def add(
        self,
        endpoint: str,
        fault: Fault,
        times: int | None = 1,
        after: int = 0,
        where: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """Plan a fault: skip `after` calls from now, then strike `times` times (None: until cleared).

        With `where`, only calls whose arguments it accepts count and are struck. Of several faults that could strike
        one call, the one added first does.
        """
        self._planned.setdefault(endpoint, []).append(_Planned(fault, times, after, where))

    def clear(self, endpoint: str | None = None) -> None:
        """Forget what is planned for the endpoint, or for all of them."""
        if endpoint is None:
            self._planned.clear()
        else:
            self._planned.pop(endpoint, None)

    def next(self, endpoint: str, args: Mapping[str, Any] | None = None) -> Fault | None:
        """The fault that strikes this call, if any; counts the call."""
        struck: Fault | None = None
        for name in (endpoint, ANY_ENDPOINT):
            for planned in list(self._planned.get(name, [])):
                if planned.where is not None and not planned.where(args or {}):
                    continue
                if planned.wait > 0:
                    planned.wait -= 1
                elif struck is None:
                    struck = planned.fault
                    self._use(name, planned)
        return struck

    def _use(self, name: str, planned: _Planned) -> None:
        if planned.times is None:
            return
        planned.times -= 1
        if planned.times <= 0:
            self._planned[name].remove(planned)


@dataclass(frozen=True, slots=True)
class Answering:
    """The three ways a server can answer one call, from which a fault picks.

    `perform` does the call and builds its answer; `refuse` builds the vendor's refusal, `fail` an HTTP error.
    """

    perform: Callable[[], Awaitable[web.StreamResponse]]
    refuse: Callable[[Fault], web.StreamResponse]
    fail: Callable[[Fault], web.StreamResponse]


async def answer_under(
    fault: Fault | None, request: web.Request, answering: Answering, stopping: asyncio.Event
) -> web.StreamResponse:
    """Answer the request as the fault has it; without a fault, simply perform it."""
    if fault is None:
        return await answering.perform()
    if fault.kind is FaultKind.SLOW:
        await set_within(stopping, fault.seconds)
        return drop(request) if stopping.is_set() else await answering.perform()
    if FaultKind(fault.kind).performs:
        await answering.perform()
    match fault.kind:
        case FaultKind.DROP | FaultKind.ACCEPT_THEN_DROP:
            return drop(request)
        case FaultKind.HANG | FaultKind.ACCEPT_THEN_HANG:
            return await hang(request, stopping)
        case FaultKind.STATUS | FaultKind.ACCEPT_THEN_STATUS:
            return answering.fail(fault)
        case FaultKind.REFUSE | FaultKind.ACCEPT_THEN_REFUSE:
            return answering.refuse(fault)
        case FaultKind.ANSWER | FaultKind.ACCEPT_THEN_ANSWER:
            return web.Response(text=fault.body, content_type="application/json")
        case _:
            return web.Response(text=fault.body, content_type="text/html")


def drop(request: web.Request) -> web.Response:
    """Close the TCP connection at once; the response that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def hang(request: web.Request, stopping: asyncio.Event) -> web.Response:
    """Answer nothing until the client goes away or the server stops."""
    while request.transport is not None and not request.transport.is_closing() and not stopping.is_set():
        await set_within(stopping, 0.05)
    return drop(request)
