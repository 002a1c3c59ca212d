"""The commands and their exit codes. The only reader of the environment and of the real clock."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot import __version__, logs
from bot.errors import FileMissing, FileUnreadable, SettingsError
from bot.settings import ReadingSettings, S, Settings, load, load_to_serve, misspelt, outward
from bot.system.files import read_text
from bot.terminal.exit_codes import DONE, PROBLEM, WRONG, fail, plain_errors

log = logging.getLogger(__name__)

LARGEST_ENV = 64 * 1024  # bytes of .env
# What Bolt would read by itself: with a client id and secret it goes into OAuth mode and ignores the bot token.
BOLT_READS = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")


def _environment_help() -> str:
    lines = ["Environment variables (also read from .env):", ""]
    lines += [f"{field.alias}: {field.description}\n" for field in Settings.model_fields.values()]
    return "\n".join(lines)


app = typer.Typer(
    name="agent-usage",
    help="Answers /agent-usage in Slack and tells a channel when a Cartesia agent budget breaks.",
    epilog=_environment_help(),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
rules_app = typer.Typer(help="Look at the rules file.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rules_app, name="rules")


class By(StrEnum):
    """How a summary is split."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def main() -> None:
    """Run a command; foreseen trouble is one plain sentence on standard error and its exit code."""
    logs.write_anything(sys.stdout, sys.stderr)
    logs.set_up("WARNING", "text", ())  # until the settings are known
    sys.argv = [os.fsencode(word).decode(errors="replace") for word in sys.argv]  # names are UTF-8, whatever the locale
    try:
        with plain_errors():
            app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has seen enough
    except Exception:
        log.exception("Unexpected error; please report it")  # by the log, which redacts secrets
        raise SystemExit(PROBLEM) from None


def environment() -> Mapping[str, str]:
    """The process's environment, over what `.env` says. Raises SettingsError where `.env` can't be read."""
    try:
        folder = Path.cwd()
    except FileNotFoundError:
        raise SettingsError(["The current folder no longer exists: change to another one."]) from None
    return {**read_dotenv(folder / ".env"), **os.environ}


def read_dotenv(file: Path) -> dict[str, str]:
    """What a file such as `.env` says; nothing where there is none. Raises SettingsError."""
    from dotenv import dotenv_values

    try:
        text = read_text(file, LARGEST_ENV)
    except FileMissing:
        return {}
    except FileUnreadable as error:
        raise SettingsError([f"{file.name}: {error}."]) from None
    found = dotenv_values(stream=io.StringIO(text), interpolate=False)  # a secret may hold ${, and names can multiply
    return {name: value or "" for name, value in found.items()}


def real_now() -> datetime:
    return datetime.now(UTC)


def _settings(kind: type[S]) -> S:
    """For a command that people watch: it prints, and logs warnings only, each of them.

    What a command needs besides is imported after it: some libraries read SSL_CERT_FILE when they are imported.
    """
    environ = environment()
    return _in_force(load(environ, kind), environ, level="WARNING", quiet=0.0)


def _in_force(settings: S, environ: Mapping[str, str], level: str, quiet: float = logs.QUIET) -> S:
    """Log as they say, warn of what they leave in doubt, and let the libraries read what is theirs."""
    logs.set_up(level, settings.log_format, settings.secrets(), quiet)
    os.environ.update(outward(environ))
    for sentence in misspelt(environ):
        log.warning("%s", sentence)
    for name, values in settings.secrets_by_name().items():
        if any(len(value) < logs.SHORTEST for value in values):
            log.warning("%s: a secret of fewer than %d characters is not redacted in the log", name, logs.SHORTEST)
    return settings


def _loaded() -> None:
    """Look for garbage from now on, but never again in what was loaded."""
    gc.freeze()
    gc.enable()


def _run(work: Coroutine[Any, Any, int]) -> NoReturn:
    _loaded()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))  # what has begun is tidied up
    raise SystemExit(asyncio.run(work))


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise SystemExit(DONE)


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,  # noqa: ARG001 handled in its callback
) -> None:
    """Without a command: serve."""
    if context.invoked_subcommand is None:
        serve()


@app.command(epilog=_environment_help())
def serve(
    socket: Annotated[bool, typer.Option("--socket", help="Socket Mode, whatever else is configured.")] = False,
    http: Annotated[bool, typer.Option("--http", help="HTTP mode, whatever else is configured.")] = False,
) -> None:
    """Connect to Slack, check, alert; the default."""
    if socket and http:
        fail("Choose --socket or --http, not both.", WRONG)
    environ = environment()
    settings = load_to_serve(environ, "socket" if socket else "http" if http else None)
    _in_force(settings, environ, settings.log_level)
    for name in BOLT_READS:
        os.environ.pop(name, None)
    from bot import app as composition

    _loaded()
    code = asyncio.run(composition.serve(settings, real_now))
    os._exit(code)  # everything is settled: no thread of a library may keep a stopped bot from ending


@app.command()
def usage(
    period: Annotated[
        list[str] | None, typer.Argument(help="today, week, 7d, 2026-03, 2026-03-01..2026-03-15 …")
    ] = None,
    by: Annotated[By | None, typer.Option("--by", help="Split the sum.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """The summary in the terminal; needs only the Cartesia key."""
    if as_json and as_csv:
        fail("Choose --json or --csv, not both.", WRONG)
    settings = _settings(ReadingSettings)
    from bot.terminal.output import print_usage

    words = " ".join([*(period or ["month"]), *(["by", by.value] if by else [])])
    _run(print_usage(settings, words, "json" if as_json else "csv" if as_csv else "table", real_now))


@app.command()
def check(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, but record and send nothing.")] = False,
) -> None:
    """One check now; prints each decision and its reason. The running bot sends what it records."""
    settings = _settings(ReadingSettings)
    from bot.terminal.output import check_dry, check_now

    _run(check_dry(settings, real_now) if dry_run else check_now(settings, real_now))


@app.command()
def why(
    alert: Annotated[list[str], typer.Argument(help="The alert's number, or the name of its rule.")],
) -> None:
    """The account of one alert: its figures, its rule then, each decision and each delivery."""
    settings = _settings(Settings)
    from bot.terminal.output import explain

    _run(explain(settings, " ".join(alert), real_now))


@rules_app.command("check")
def rules_check() -> None:
    """List every mistake of the rules file."""
    settings = _settings(Settings)
    from bot.terminal.output import check_rules

    raise SystemExit(check_rules(settings))


@rules_app.command("show")
def rules_show() -> None:
    """What the rules file says, as it is understood."""
    settings = _settings(Settings)
    from bot.terminal.output import show_rules

    raise SystemExit(show_rules(settings))


@rules_app.command("schema")
def rules_schema() -> None:
    """The JSON Schema of rules.yaml, for editors."""
    import json

    from bot.rules.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def migrate() -> None:
    """Bring the database to the current schema."""
    settings = _settings(Settings)
    from bot.app import migrate_only

    _run(migrate_only(settings))


@app.command()
def manifest(
    http: Annotated[str | None, typer.Option("--http", help="Public address of the bot, for HTTP mode.")] = None,
) -> None:
    """The Slack app manifest, and the link that creates the app with it."""
    from bot.commands.all import USAGE_HINT
    from bot.slack.manifest import creation_link, manifest_yaml, public_address

    try:
        address = public_address(http) if http is not None else None
    except ValueError as error:
        fail(str(error), WRONG)
    print(manifest_yaml(address, USAGE_HINT))
    print(f"# Create the app with one click:\n# {creation_link(address, USAGE_HINT)}")


@app.command()
def sandbox(
    story: Annotated[bool, typer.Option("--story", help="Tell one day's story in the terminal, and end.")] = False,
    real_usage: Annotated[
        bool, typer.Option("--real-usage", help="Your own figures, by your Cartesia key, with the simulated Slack.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Where the page listens on 127.0.0.1 (default: 8765 if free)."),
    ] = None,
) -> None:
    """Everything on this machine, no account: a page with Slack, Cartesia and the clock in your hands."""
    if story and real_usage:
        fail("Choose --story or --real-usage, not both.", WRONG)
    if story:
        from bot.sandbox.conversation import run

        try:
            _run(run())
        except TimeoutError as error:
            fail(f"The sandbox stopped: {error}.", PROBLEM)
    settings = _settings(ReadingSettings) if real_usage else None
    from bot.sandbox.site import show_page

    _run(show_page(port, settings))


@app.command()
def backtest(
    rule: Annotated[str | None, typer.Option("--rule", help="Only the rule with this name.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How many days back.")] = 60,
) -> None:
    """What the present rules would have said over the readings in the database."""
    settings = _settings(Settings)
    from bot.terminal.output import print_backtest

    _run(print_backtest(settings, rule, days, real_now))
