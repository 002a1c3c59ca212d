"""aiohttp's server, set for strangers: without its router, which has answers of its own, and with a sparing log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.clock import elapsed
from bot.listeners.rejected_requests import LINE_EVERY

_LINGERING = 1.0  # seconds in which a body that nobody wants is let pass, so that the answer arrives
_READ_AHEAD = 2**14  # bytes of a body that may wait for being read

log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def http_server(answer: Handler, on_problem: Callable[[str], None]) -> web.Server:
    """What makes the protocol of a connection; `on_problem` takes a sentence for bytes that are no HTTP."""
    return web.Server(
        answer,
        access_log=None,
        auto_decompress=False,  # what is compressed is not Slack's, whose signature is over the bytes as they came
        lingering_time=_LINGERING,
        logger=HttpLog(on_problem),
        read_bufsize=_READ_AHEAD,
    )


class HttpLog(logging.LoggerAdapter[logging.Logger]):
    """Where aiohttp logs: one traceback a minute of unexpected errors, and none for bytes that strangers send."""

    def __init__(self, on_problem: Callable[[str], None]) -> None:
        super().__init__(log)
        self._on_problem = on_problem
        self._next_line = elapsed()

    def debug(self, msg: object, *args: object, exc_info: Any = None, **more: Any) -> None:
        if not self._is_strangers(exc_info):
            super().debug(msg, *args, exc_info=exc_info, **more)

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:  # noqa: ARG002 our words
        if not self._is_strangers(exc_info) and elapsed() >= self._next_line:
            self._next_line = elapsed() + LINE_EVERY
            super().exception("Unexpected error in an HTTP request", exc_info=exc_info, **more)

    def _is_strangers(self, error: object) -> bool:
        if not isinstance(error, HttpProcessingError):
            return False
        self._on_problem("Refused what Slack does not send: bytes that are no HTTP request.")
        error.with_traceback(None)  # it and the bytes that it is about would keep each other
        return True
