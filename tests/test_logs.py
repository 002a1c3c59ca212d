"""Whatever is logged, by whomever, no secret is in it."""

from __future__ import annotations

import io
import json
import logging
import sys
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import RedactingFormatter, Repeats, ends, repeats, set_up, write_anything

SECRETS = ["xoxb-HUSH", "sk_car_admin_HUSH", 'pa"ss\\wö rd/+', "https://hc-ping.example/HUSH", "xoxb-HUSH-longer"]
BOTH = pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])


def record(message: object, *args: object, failed: BaseException | None = None) -> logging.LogRecord:
    about = (type(failed), failed, failed.__traceback__) if failed else None
    made = logging.LogRecord("bot.test", logging.INFO, "test.py", 1, message, args, about)
    made.created = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC).timestamp()
    return made


def raised(secret: str) -> BaseException:
    def inner(token: str) -> None:
        raise RuntimeError(f"no such token: {token}")

    try:
        inner(secret)
    except RuntimeError as error:
        return error
    raise AssertionError


@BOTH
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "logged",
    [
        pytest.param(lambda secret: record(f"with {secret} in it"), id="in the message"),
        pytest.param(lambda secret: record("with %s in it", secret), id="in an argument"),
        pytest.param(lambda secret: record("with %r in it", secret), id="in an argument's repr"),
        pytest.param(lambda secret: record("with %s", {"token": secret}), id="in a mapping"),
        pytest.param(lambda secret: record("%s", json.dumps([secret])), id="in JSON"),
        pytest.param(lambda secret: record("GET /?token=%s", quote(secret, safe="")), id="in an address"),
        pytest.param(lambda secret: record(RuntimeError(secret)), id="in an error as the message"),
        pytest.param(lambda secret: record("it failed", failed=raised(secret)), id="in a traceback"),
    ],
)
def test_a_secret_never_appears(logged: object, secret: str, as_json: bool) -> None:
    assert callable(logged)
    line = RedactingFormatter(SECRETS, as_json=as_json).format(logged(secret))
    text = json.dumps(json.loads(line), ensure_ascii=False) if as_json else line
    for trace in ("HUSH", "longer", "wö rd", "w\\u00f6", "%C3%B6"):
        assert trace not in text
    assert "…" in line


@BOTH
@given(secret=st.text(st.characters(codec="utf-8", exclude_characters="…"), min_size=12), words=st.text(max_size=20))
def test_no_text_that_is_a_secret_is_logged(secret: str, words: str, as_json: bool) -> None:
    line = RedactingFormatter([secret], as_json=as_json).format(record("%s", words + secret + words))
    assert secret not in (json.loads(line)["message"] if as_json else line)


@BOTH
def test_a_short_secret_does_not_redact_the_words_it_is_a_part_of(as_json: bool) -> None:
    line = RedactingFormatter(["a", "seven77"], as_json=as_json).format(record("a bank opens at seven77"))
    assert "a bank opens at seven77" in line


@BOTH
def test_a_secret_that_nobody_told_the_log_of_is_known_by_its_form(as_json: bool) -> None:
    refused = RuntimeError("401, message='Invalid response status', url='wss://wss.slack.com/link/?ticket=HUSH&x=1'")
    line = RedactingFormatter([], as_json=as_json).format(
        record("Failed to connect (error: %s)", refused, failed=refused)
    )
    assert "HUSH" not in line
    assert "ticket=…&x=1" in line


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        pytest.param("ascii", "T\\u00e4glich \\ud83d\\udfe1 \\udcff", id="ASCII"),
        pytest.param("latin-1", "Täglich \\ud83d\\udfe1 \\udcff", id="Latin-1"),
        pytest.param("utf-8", "Täglich 🟡 \\udcff", id="UTF-8: only what is no text"),
    ],
)
def test_what_a_stream_cannot_show_is_written_as_json_escapes_it(encoding: str, shown: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_anything(stream, None)
    print("Täglich 🟡 \udcff", end="", file=stream, flush=True)
    assert stream.buffer.getvalue().decode(encoding) == shown
    assert json.loads(f'"{shown}"') == "Täglich 🟡 \udcff"


def test_a_text_line_says_when_how_grave_and_who() -> None:
    assert (
        RedactingFormatter([], as_json=False).format(record("seen %d", 3))
        == "2026-03-01T12:30:15.250Z INFO    bot.test: seen 3"
    )


def test_a_json_line_is_one_line_of_json() -> None:
    line = RedactingFormatter([], as_json=True).format(record("two\nlines", failed=raised("x")))
    assert "\n" not in line
    assert json.loads(line)["message"] == "two\nlines"
    assert json.loads(line)["time"] == "2026-03-01T12:30:15.250Z"
    assert json.loads(line)["traceback"].endswith("RuntimeError: no such token: x")


@BOTH
@pytest.mark.parametrize("steering", ["\x1b[2J", "\r", "\x85", "\u202e", "\u2028", "\x00", "\x9b1m"])
def test_nothing_that_others_wrote_steers_a_terminal_or_forges_a_line(steering: str, as_json: bool) -> None:
    forged = f"no such token{steering}\n2026-03-01T12:30:16.000Z ERROR   bot.jobs.check: forged"
    failed = raised(forged)
    line = RedactingFormatter([], as_json=as_json).format(record("Slack said %s", forged, failed=failed))
    assert steering[0] not in line
    assert f"\\u{ord(steering[0]):04x}" in line
    assert not any(each.startswith("2026") for each in line.splitlines()[1:])


def test_libraries_that_print_requests_speak_from_warnings_up(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    set_up("DEBUG", "text", SECRETS)
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)
    logging.getLogger("slack_sdk.web").info("Authorization: Bearer xoxb-HUSH")
    logging.getLogger("slack_sdk.web").warning("token xoxb-HUSH")
    logging.getLogger("bot.jobs.check").debug("asked")
    root.handlers, root.level = before, level
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "WARNING slack_sdk.web: token …",
        "DEBUG   bot.jobs.check: asked",
    ]


class Log:
    """A logger behind the filter, and its clock."""

    def __init__(self, name: str = "bot.test", level: int = logging.NOTSET) -> None:
        self.now = 0.0
        self.logger = logging.Logger(name)
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        handler.addFilter(Repeats(lambda: self.now, level=level))
        self.logger.addHandler(handler)
        self.lines: list[str] = []


def test_a_line_that_repeats_is_said_once_and_then_each_ten_minutes() -> None:
    log = Log()
    for log.now in range(1201):
        log.logger.warning("waiting for %d s", log.now, extra=repeats("#spend", "archived"))
    assert log.lines == ["waiting for 0 s", "waiting for 600 s", "waiting for 1200 s"]


def test_a_line_that_repeats_in_other_words_or_of_something_else_is_news() -> None:
    log = Log()
    for code in ("archived", "missing", "archived", "missing"):
        log.logger.warning("not delivered: %s", code, extra=repeats("#spend", code))
    log.logger.warning("not delivered: %s", "archived", extra=repeats("#ops", "archived"))
    log.logger.error("rerouted: %s", "archived", extra=repeats("#spend", "archived"))
    assert log.lines == [
        "not delivered: archived",
        "not delivered: missing",
        "not delivered: archived",
        "rerouted: archived",
    ]


def test_the_end_is_said_where_the_trouble_was_and_what_comes_back_is_news() -> None:
    log = Log()
    for _ in range(2):
        log.logger.info("well again", extra=ends("#spend"))
        log.logger.warning("broken", extra=repeats("#spend"))
        log.logger.info("well again", extra=ends("#spend"))
    assert log.lines == ["broken", "well again", "broken", "well again"]


def test_an_end_that_nobody_reads_of_lets_the_same_trouble_be_news() -> None:
    log = Log(level=logging.WARNING)
    for _ in range(2):
        log.logger.warning("broken", extra=repeats("#spend"))
        log.logger.info("well again", extra=ends("#spend"))
    assert log.lines == ["broken", "broken"]


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_ends_are_heard_at_any_level(
    level: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    root = logging.getLogger()
    before, was = list(root.handlers), root.level
    set_up(level, "text", [])
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)
    for _ in range(2):
        logging.getLogger("bot.test").error("broken", extra=repeats("#spend"))
        logging.getLogger("bot.test").info("well again", extra=ends("#spend"))
    root.handlers, root.level = before, was
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == ["broken", "broken"]


def test_a_library_that_repeats_itself_is_heard_once_and_the_bots_own_lines_each_time() -> None:
    for name, count in (("slack_sdk.socket_mode.aiohttp", 1), ("bot.jobs.check", 3)):
        log = Log(name)
        for _ in range(3):
            log.logger.error("Failed to connect")
        assert len(log.lines) == count


def test_what_was_said_long_ago_is_forgotten() -> None:
    log = Log("slack_sdk")
    for log.now in range(0, 100_000, 10):
        log.logger.error("session %d is gone", log.now)
    [said] = log.logger.handlers[0].filters[0]._said.values()  # type: ignore[union-attr]
    assert len(said) <= 60
