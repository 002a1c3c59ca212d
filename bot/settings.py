"""Every environment variable, read once, all problems at once, secrets unprintable (README.md, Environment).

The environment is an argument (`cli.py` is its only reader), so this is a plain pydantic model and not a
pydantic-settings class, which would reach for the process environment by itself.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from bot.errors import FileUnreadable, SettingsError
from bot.system.addresses import database_address, is_base_address, is_host, is_proxy, is_web_address
from bot.system.files import read_file

ADMIN_KEY_PAGE = "https://play.cartesia.ai/keys/admin"

_LARGEST_BUNDLE = 10 * 1024 * 1024  # bytes of a file of certificates

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_interval(text: str) -> timedelta:
    """ "5m", "30s", "1h" or "1h30m" as a timedelta; ValueError where it is none of these or nothing at all."""
    if not re.fullmatch(r"(\d{1,6}[smhd]){1,4}", text, re.ASCII):
        raise ValueError("not a duration")
    parts = re.findall(r"(\d+)([smhd])", text)
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def _interval(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_interval(value)
    except ValueError:
        raise PydanticCustomError("duration", "write a duration such as 30s, 5m or 1h") from None


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise PydanticCustomError("too_often", "write at least 1s")
    return value


def _at_most_a_month(value: timedelta) -> timedelta:
    if value > timedelta(days=31):
        raise PydanticCustomError("too_rarely", "write at most 31d")
    return value


_ROTATING = (
    "this token expires after 12 hours, since the app has token rotation switched on: switch it off under OAuth & "
    "Permissions, or where Slack does not offer that make a new app with `python -m bot manifest`"
)


def _starts_with(prefix: str, what: str) -> Any:
    def check(value: object) -> object:
        if isinstance(value, str) and value.startswith("xoxe"):
            raise PydanticCustomError("rotation", _ROTATING)
        if isinstance(value, str) and not value.startswith(prefix):
            raise PydanticCustomError("prefix", "{what}", {"what": what})
        if isinstance(value, str) and not re.fullmatch(r"[!-~]+", value.removeprefix(prefix)):
            raise PydanticCustomError("characters", "this is cut short, or holds characters that no key or token has")
        return value

    return BeforeValidator(check)


def _if(is_good: Callable[[str], bool], instead: str) -> Any:
    """Only texts of which `is_good` holds; `instead` says what to write."""

    def check(value: object) -> object:
        if isinstance(value, str) and not is_good(value):
            raise PydanticCustomError("address", "{instead}", {"instead": instead})
        return value

    return BeforeValidator(check)


def _database_address(value: object) -> object:
    if isinstance(value, str):
        try:
            database_address(value)
        except ValueError as error:
            raise PydanticCustomError("database", "{instead}", {"instead": str(error)}) from None
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _without_final_slash(value: str) -> str:
    return value.rstrip("/")


def _with_final_slash(value: str) -> str:
    return value.rstrip("/") + "/"


_WEB_ADDRESS = _if(is_web_address, "write a web address that starts with https:// (or http://)")
_BASE_ADDRESS = _if(is_base_address, "write a web address that starts with https:// (or http://), without ? and #")
_LISTENING = _if(is_host, "write an address of this machine, such as 0.0.0.0, 127.0.0.1 or ::")
_PROXY = "write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with @ in them as %40; SOCKS is not understood"

_AN_ADMIN_KEY = _starts_with("sk_car_admin_", "this is not an admin key: those start with sk_car_admin_")
_A_BOT_TOKEN = _starts_with("xoxb-", "this is not a bot token: those start with xoxb-")
_AN_APP_TOKEN = _starts_with("xapp-", "this is not an app-level token: those start with xapp-")
_A_SECRET = _starts_with("", "")

BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 the names of variables, not values
APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105
SIGNING_SECRET = "SLACK_SIGNING_SECRET"  # noqa: S105
ADMIN_KEY = "CARTESIA_ADMIN_API_KEY"

WHERE = {
    ADMIN_KEY: f"the Cartesia admin key that usage is read with; get one at {ADMIN_KEY_PAGE}",
    BOT_TOKEN: "the token the bot posts with; api.slack.com/apps → your app → Install App → Bot User OAuth Token",
    APP_TOKEN: "the token for Socket Mode; api.slack.com/apps → your app → Basic Information → App-Level Tokens, "
    "scope connections:write",
    SIGNING_SECRET: "what HTTP mode checks Slack's signatures with; api.slack.com/apps → your app → "
    "Basic Information → App Credentials",
}


class Settings(BaseModel):
    """The validated environment. Field aliases are the variables' names; descriptions serve `--help` and the docs.

    What a command can't do without is required by the kinds of settings below.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    cartesia_admin_api_key: Annotated[SecretStr | None, _AN_ADMIN_KEY] = Field(
        None, alias=ADMIN_KEY, description="admin key sk_car_admin_…; required"
    )
    slack_bot_token: Annotated[SecretStr | None, _A_BOT_TOKEN] = Field(
        None, alias=BOT_TOKEN, description="xoxb-…; required for serve"
    )
    slack_app_token: Annotated[SecretStr | None, _AN_APP_TOKEN] = Field(
        None, alias=APP_TOKEN, description="xapp-…, Socket Mode; this or SLACK_SIGNING_SECRET"
    )
    slack_signing_secret: Annotated[SecretStr | None, _A_SECRET] = Field(
        None, alias=SIGNING_SECRET, description="HTTP mode; this or SLACK_APP_TOKEN"
    )
    rules_file: Path = Field(Path("rules.yaml"), alias="RULES_FILE", description="path of the rules")
    database_url: Annotated[SecretStr, BeforeValidator(_database_address)] = Field(
        SecretStr("sqlite:///agent-usage.db"), alias="DATABASE_URL", description="sqlite:///… or postgresql://…"
    )
    rules_home: Annotated[Literal["file", "database"], BeforeValidator(_lower)] = Field(
        "file", alias="RULES_HOME", description="where edits made in Slack are kept: file or database"
    )
    check_interval: Annotated[
        timedelta, BeforeValidator(_interval), AfterValidator(_at_least_a_second), AfterValidator(_at_most_a_month)
    ] = Field(timedelta(minutes=5), alias="CHECK_INTERVAL", description="how often usage is read: 5m, 30s; at least 1s")
    blind_after: Annotated[timedelta, BeforeValidator(_interval), AfterValidator(_at_most_a_month)] = Field(
        timedelta(minutes=15),
        alias="BLIND_AFTER",
        description="silence that counts as blind; in force is the longer of this and three intervals",
    )
    keep_months: int = Field(
        13, alias="KEEP_MONTHS", ge=3, le=120, description="how long readings, messages and revisions are kept"
    )
    host: Annotated[str, _LISTENING] = Field("0.0.0.0", alias="HOST", description="HTTP mode and health endpoints")  # noqa: S104 a container's own network
    port: int | None = Field(
        None, alias="PORT", ge=0, le=65535, description="3000 in HTTP mode; in Socket Mode health endpoints where set"
    )
    heartbeat_url: Annotated[SecretStr | None, _WEB_ADDRESS] = Field(
        None, alias="HEARTBEAT_URL", description="fetched after each good check (dead-man services)"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        "text", alias="LOG_FORMAT", description="text or json"
    )
    cartesia_api_url: Annotated[str, _BASE_ADDRESS, AfterValidator(_without_final_slash)] = Field(
        "https://api.cartesia.ai", alias="CARTESIA_API_URL", description="base address of Cartesia's API"
    )
    slack_api_url: Annotated[str, _BASE_ADDRESS, AfterValidator(_with_final_slash)] = Field(
        "https://slack.com/api/", alias="SLACK_API_URL", description="what stands before a Slack method's name"
    )

    @property
    def blind_for(self) -> timedelta:
        """The silence that counts as blind: the longer of BLIND_AFTER and three intervals."""
        return max(self.blind_after, 3 * self.check_interval)

    @property
    def kept_for(self) -> timedelta:
        """How long readings, delivered messages, what was said and old revisions are kept."""
        return timedelta(days=31 * self.keep_months)

    def secrets(self) -> list[str]:
        """Every value that must never be printed, for the log's last line of defence."""
        return [value for values in self.secrets_by_name().values() for value in values]

    def secrets_by_name(self) -> dict[str, list[str]]:
        """The secrets that each variable holds."""
        named = {
            ADMIN_KEY: self.cartesia_admin_api_key,
            BOT_TOKEN: self.slack_bot_token,
            APP_TOKEN: self.slack_app_token,
            SIGNING_SECRET: self.slack_signing_secret,
            "HEARTBEAT_URL": self.heartbeat_url,
        }
        found = {name: [value.get_secret_value()] for name, value in named.items() if value}
        return {**found, "DATABASE_URL": _passwords(self.database_url.get_secret_value())}


class ReadingSettings(Settings):
    """For a command that reads usage."""

    cartesia_admin_api_key: Annotated[SecretStr, _AN_ADMIN_KEY] = Field(alias=ADMIN_KEY)


class _PostingSettings(ReadingSettings):
    slack_bot_token: Annotated[SecretStr, _A_BOT_TOKEN] = Field(alias=BOT_TOKEN)


class SocketSettings(_PostingSettings):
    """For `serve` in Socket Mode."""

    slack_app_token: Annotated[SecretStr, _AN_APP_TOKEN] = Field(alias=APP_TOKEN)


class HttpSettings(_PostingSettings):
    """For `serve` in HTTP mode."""

    slack_signing_secret: Annotated[SecretStr, _A_SECRET] = Field(alias=SIGNING_SECRET)


ServeSettings = SocketSettings | HttpSettings
S = TypeVar("S", bound=Settings)


def _passwords(address: str) -> list[str]:
    """The passwords in a database's address, as written there and as they are."""
    url = database_address(address)
    written = re.search(r"://[^:/@]*:([^@]+)@", address)
    parameters = [value for name, value in url.query.items() if name in ("password", "sslpassword")]
    return [str(each) for each in (written and written[1], url.password, *parameters) if each]


Transport = Literal["socket", "http"]

# Read by the libraries themselves, and by bot/system/network.py, in either case of letters.
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
OUTWARD = (*PROXIES, "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say something, without blanks around it and without one pair of quotes: `docker --env-file`
    hands over the quotes that a shell and `.env` take away."""
    values = {name: _unquoted(value.strip()) for name, value in environ.items()}
    return {name: value for name, value in values.items() if value}


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1].strip() if is_quoted else value


def load(environ: Mapping[str, str], kind: type[S]) -> S:
    """The settings in this environment, of the kind that the command can't do without.

    An empty variable counts as absent. Raises SettingsError with every problem at once, never with a value.
    """
    present = given(environ)
    problems: list[str] = []
    settings = None
    try:
        settings = kind.model_validate(present)
    except ValidationError as error:
        found = sorted(error.errors(include_input=False), key=lambda each: each["type"] != "missing")  # these first
        problems += [_problem(problem) for problem in found]
    problems += [f"{name}: {_PROXY}." for name, value in outward(present).items() if _is_bad_proxy(name, value)]
    problems += _certificate_problems(present)
    if problems or settings is None:
        raise SettingsError([*problems, *misspelt(present)])
    return settings


def outward(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say how the outside is reached and whom to trust there."""
    return {name: value for name, value in given(environ).items() if name in OUTWARD or name.upper() in OUTWARD}


def _is_bad_proxy(name: str, value: str) -> bool:
    return name.upper() in PROXIES and not is_proxy(value)


def _certificate_problems(present: Mapping[str, str]) -> Iterator[str]:
    """What stands where certificates should be. OpenSSL would wait for a pipe, and pass over a folder that is none."""
    try:
        if file := present.get("SSL_CERT_FILE"):
            read_file(Path(file), _LARGEST_BUNDLE)
    except FileUnreadable as error:
        yield f"SSL_CERT_FILE: no certificates can be read from this file ({error}): write the path of one."
    folders = [folder for folder in present.get("SSL_CERT_DIR", "").split(os.pathsep) if folder]
    if folders and not any(Path(folder).is_dir() for folder in folders):
        yield "SSL_CERT_DIR: this is no folder: write the path of one that holds certificates."


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like one of ours which is not set, never with its value.

    Only names that begin as ours do are looked at: the rest of the environment is nobody's business here.
    """
    present = given(environ)
    ours = {field.alias for field in Settings.model_fields.values() if field.alias}
    missing = [name for name in ours if "_" in name and name not in present]
    stems = tuple({name.split("_")[0] for name in ours if "_" in name})
    strangers = sorted(name for name in present if name not in ours and name.upper().startswith(stems))
    near = {name: difflib.get_close_matches(name.upper(), missing, n=1, cutoff=_NEAR) for name in strangers}
    return [f"{name} is no variable of this program: is {found[0]} meant?" for name, found in near.items() if found]


_NEAR = 0.85  # of difflib's measure: a few letters of a name, and not CARTESIA_API_KEY, which is another thing


def load_to_serve(environ: Mapping[str, str], forced: Transport | None) -> ServeSettings:
    """The settings of the transport that is configured (Socket Mode where both are) or forced. Raises SettingsError."""
    present = given(environ)
    transport = forced or ("http" if SIGNING_SECRET in present and APP_TOKEN not in present else "socket")
    return load(environ, SocketSettings) if transport == "socket" else load(environ, HttpSettings)


def _problem(error: Any) -> str:
    name = str(error["loc"][0])
    if error["type"] == "missing":
        return f"{name} is missing: it is {WHERE[name]}."
    plain = {
        "literal_error": f"write {error.get('ctx', {}).get('expected', '')}",
        "int_parsing": "write a whole number",
        "int_parsing_size": "write a whole number",
        "greater_than_equal": f"write at least {error.get('ctx', {}).get('ge')}",
        "less_than_equal": f"write at most {error.get('ctx', {}).get('le')}",
    }.get(error["type"], error["msg"])
    where = f" It is {WHERE[name]}." if name in WHERE else ""
    return f"{name}: {plain}.{where}"
