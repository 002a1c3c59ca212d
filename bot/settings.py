"""Every environment variable, read once, all problems at once, secrets unprintable (DESIGN section 3).

The environment is an argument (`cli.py` is its only reader), so this is a plain pydantic model and not a
pydantic-settings class, which would reach for the process environment by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from bot.errors import SettingsError

ADMIN_KEY_PAGE = "https://play.cartesia.ai/keys/admin"

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


def _starts_with(prefix: str, what: str) -> Any:
    def check(value: object) -> object:
        if isinstance(value, str) and not value.startswith(prefix):
            raise PydanticCustomError("prefix", "{what}", {"what": what})
        if isinstance(value, str) and not re.fullmatch(r"[!-~]+", value.removeprefix(prefix)):
            raise PydanticCustomError("characters", "this is cut short, or holds characters that no key or token has")
        return value

    return BeforeValidator(check)


def _web_address(value: object) -> object:
    if isinstance(value, str) and not _is_web_address(value):
        raise PydanticCustomError("address", "write a web address that starts with https:// (or http://)")
    return value


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(re.fullmatch(r"https?://[!-~]+", text) and parts.hostname and (parts.port or parts.port is None))
    except ValueError:  # a port that is no number, a bracket left open
        return False


def _database_address(value: object) -> object:
    if isinstance(value, SecretStr):
        return value
    if not re.match(r"(sqlite:///.+|postgres(ql)?://.+)", str(value)):
        raise PydanticCustomError("database", "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _with_final_slash(value: object) -> object:
    value = _web_address(value)
    return value.rstrip("/") + "/" if isinstance(value, str) else value


def _without_final_slash(value: object) -> object:
    value = _web_address(value)
    return value.rstrip("/") if isinstance(value, str) else value


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
    """The validated environment. Field aliases are the variables' names; descriptions serve `--help` and the docs."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    cartesia_admin_api_key: Annotated[
        SecretStr | None, _starts_with("sk_car_admin_", "this is not an admin key: those start with sk_car_admin_")
    ] = Field(None, alias=ADMIN_KEY, description="admin key sk_car_admin_…; required")
    slack_bot_token: Annotated[
        SecretStr | None, _starts_with("xoxb-", "this is not a bot token: those start with xoxb-")
    ] = Field(None, alias=BOT_TOKEN, description="xoxb-…; required for serve")
    slack_app_token: Annotated[
        SecretStr | None, _starts_with("xapp-", "this is not an app-level token: those start with xapp-")
    ] = Field(None, alias=APP_TOKEN, description="xapp-…, Socket Mode; this or SLACK_SIGNING_SECRET")
    slack_signing_secret: Annotated[SecretStr | None, _starts_with("", "")] = Field(
        None, alias=SIGNING_SECRET, description="HTTP mode; this or SLACK_APP_TOKEN"
    )
    rules_file: Path = Field(Path("rules.yaml"), alias="RULES_FILE", description="path of the rules")
    database_url: Annotated[SecretStr, BeforeValidator(_database_address)] = Field(
        SecretStr("sqlite:///agent-usage.db"), alias="DATABASE_URL", description="sqlite:///… or postgresql://…"
    )
    rules_home: Annotated[Literal["file", "database"], BeforeValidator(_lower)] = Field(
        "file", alias="RULES_HOME", description="where edits made in Slack are kept: file or database"
    )
    check_interval: Annotated[timedelta, BeforeValidator(_interval), AfterValidator(_at_least_a_second)] = Field(
        timedelta(minutes=5), alias="CHECK_INTERVAL", description="how often usage is read: 5m, 30s; at least 1s"
    )
    blind_after: Annotated[timedelta, BeforeValidator(_interval)] = Field(
        timedelta(minutes=15),
        alias="BLIND_AFTER",
        description="silence that counts as blind; in force is the longer of this and three intervals",
    )
    keep_months: int = Field(
        13, alias="KEEP_MONTHS", ge=3, le=120, description="how long readings, messages and revisions are kept"
    )
    host: str = Field("0.0.0.0", alias="HOST", min_length=1, description="HTTP mode and health endpoints")  # noqa: S104 a container's own network
    port: int | None = Field(
        None, alias="PORT", ge=0, le=65535, description="3000 in HTTP mode; in Socket Mode health endpoints where set"
    )
    heartbeat_url: Annotated[SecretStr | None, BeforeValidator(_web_address)] = Field(
        None, alias="HEARTBEAT_URL", description="fetched after each good check (dead-man services)"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        "text", alias="LOG_FORMAT", description="text or json"
    )
    cartesia_api_url: Annotated[str, BeforeValidator(_without_final_slash)] = Field(
        "https://api.cartesia.ai", alias="CARTESIA_API_URL", description="base address of Cartesia's API"
    )
    slack_api_url: Annotated[str, BeforeValidator(_with_final_slash)] = Field(
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
        fields = (self.cartesia_admin_api_key, self.slack_bot_token, self.slack_app_token, self.slack_signing_secret)
        values = [field.get_secret_value() for field in (*fields, self.heartbeat_url) if field]
        password = re.search(r"://[^:/@]*:(.+)@", self.database_url.get_secret_value())
        return values + ([password[1], unquote(password[1])] if password else [])


Transport = Literal["socket", "http"]


def load(environ: Mapping[str, str], needs: tuple[str, ...] = ()) -> Settings:
    """The settings in this environment; `needs` are the variables that the command cannot do without.

    An empty variable counts as absent. Raises SettingsError with every problem at once, never with a value.
    """
    present = {name: value.strip() for name, value in environ.items() if value.strip()}
    missing = [f"{name} is missing: it is {WHERE[name]}." for name in needs if name not in present]
    try:
        settings = Settings.model_validate(present)
    except ValidationError as error:
        raise SettingsError(missing + [_problem(problem) for problem in error.errors(include_input=False)]) from None
    if missing:
        raise SettingsError(missing)
    return settings


def choose_transport(environ: Mapping[str, str], forced: Transport | None) -> tuple[Transport, tuple[str, ...]]:
    """Which transport `serve` uses, and the variables it then needs (Socket Mode wins where both are configured)."""
    has_app_token = bool(environ.get(APP_TOKEN, "").strip())
    has_secret = bool(environ.get(SIGNING_SECRET, "").strip())
    transport: Transport = forced or ("http" if has_secret and not has_app_token else "socket")
    return transport, (ADMIN_KEY, BOT_TOKEN, APP_TOKEN if transport == "socket" else SIGNING_SECRET)


def _problem(error: Any) -> str:
    name = str(error["loc"][0])
    plain = {
        "literal_error": f"write {error.get('ctx', {}).get('expected', '')}",
        "int_parsing": "write a whole number",
        "greater_than_equal": f"write at least {error.get('ctx', {}).get('ge')}",
        "less_than_equal": f"write at most {error.get('ctx', {}).get('le')}",
    }.get(error["type"], error["msg"])
    where = f" It is {WHERE[name]}." if name in WHERE else ""
    return f"{name}: {plain}.{where}"
