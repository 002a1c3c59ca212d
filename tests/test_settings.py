"""Every variable of the environment: what it may be, what is said where it is not, and that no secret is printed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.settings import (
    WHERE,
    HttpSettings,
    Settings,
    SocketSettings,
    Transport,
    load_to_serve,
    misspelt,
    parse_interval,
)
from bot.settings import load as load_as

GOOD = {
    "CARTESIA_ADMIN_API_KEY": "sk_car_admin_0123456789",
    "SLACK_BOT_TOKEN": "xoxb-1-2-three",
    "SLACK_APP_TOKEN": "xapp-1-A1-2-four",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
}


def load(environ: Mapping[str, str]) -> Settings:
    return load_as(environ, Settings)


def problems(environ: Mapping[str, str], kind: type[Settings] = Settings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_as(environ, kind)
    return caught.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load({})
    assert settings.rules_file == Path("rules.yaml")
    assert settings.database_url.get_secret_value() == "sqlite:///agent-usage.db"
    assert settings.rules_home == "file"
    assert settings.check_interval == timedelta(minutes=5)
    assert settings.blind_after == timedelta(minutes=15)
    assert (settings.host, settings.port) == ("0.0.0.0", None)  # noqa: S104 the documented default
    assert settings.heartbeat_url is None
    assert (settings.log_level, settings.log_format) == ("INFO", "text")
    assert settings.cartesia_api_url == "https://api.cartesia.ai"
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.cartesia_admin_api_key is settings.slack_bot_token is settings.slack_app_token is None


def test_an_empty_variable_counts_as_absent() -> None:
    settings = load({"PORT": "", "HOST": "  ", "CHECK_INTERVAL": "\t", "SLACK_BOT_TOKEN": ""})
    assert settings == load({})


def test_blanks_around_a_value_do_not_count() -> None:
    assert (
        load({"SLACK_BOT_TOKEN": " xoxb-1 \n"}).slack_bot_token == load({"SLACK_BOT_TOKEN": "xoxb-1"}).slack_bot_token
    )


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_around_a_value_do_not_count_as_docker_hands_them_over(quote: str) -> None:
    plain = {**GOOD, "PORT": "8080", "DATABASE_URL": "postgresql://bot:secret@db/usage", "CHECK_INTERVAL": "30s"}
    quoted = {name: f"{quote}{value}{quote}" for name, value in plain.items()}
    assert load(quoted) == load(plain)
    assert isinstance(load_to_serve({**quoted, "SLACK_APP_TOKEN": quote * 2}, None), HttpSettings)


@pytest.mark.parametrize("text", ["'30s", '30s"', "\"30s'"])
def test_a_quote_alone_counts(text: str) -> None:
    assert problems({"CHECK_INTERVAL": text}) == ["CHECK_INTERVAL: write a duration such as 30s, 5m or 1h."]


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("RULES_FILE", "/etc/agent-usage/rules.yaml", "rules_file", Path("/etc/agent-usage/rules.yaml")),
        ("RULES_HOME", "Database", "rules_home", "database"),
        ("CHECK_INTERVAL", "1s", "check_interval", timedelta(seconds=1)),
        ("CHECK_INTERVAL", "90s", "check_interval", timedelta(seconds=90)),
        ("BLIND_AFTER", "1h30m", "blind_after", timedelta(minutes=90)),
        ("HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("PORT", "0", "port", 0),
        ("PORT", "65535", "port", 65535),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOG_FORMAT", "JSON", "log_format", "json"),
        ("CARTESIA_API_URL", "http://127.0.0.1:8080", "cartesia_api_url", "http://127.0.0.1:8080"),
        ("CARTESIA_API_URL", "https://proxy.example/cartesia//", "cartesia_api_url", "https://proxy.example/cartesia"),
        ("SLACK_API_URL", "http://127.0.0.1:8081/api", "slack_api_url", "http://127.0.0.1:8081/api/"),
        ("SLACK_API_URL", "https://slack.com/api/", "slack_api_url", "https://slack.com/api/"),
    ],
)
def test_a_good_value_is_taken(name: str, text: str, field: str, value: object) -> None:
    assert getattr(load({name: text}), field) == value


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///agent-usage.db",
        "sqlite:////var/lib/agent-usage.db",
        "postgresql://bot:secret@db/usage",
        "postgres://bot:secret@ec2-1.compute.amazonaws.com:5432/d1?sslmode=require",
        "postgresql://bot:p%40ss%3Aword@[::1]:5432/usage",
        "postgresql://bot:with/slash?and#more@my_host/usage",
        "postgresql:///usage?host=/var/run/postgresql",
        "postgresql://bot:secret@/usage?host=one:5432&host=two:5433&target_session_attrs=read-write",
    ],
)
def test_a_database_address_is_taken(url: str) -> None:
    assert load({"DATABASE_URL": url}).database_url.get_secret_value() == url


BAD = [
    ("CARTESIA_ADMIN_API_KEY", "sk_car_plain_9", "this is not an admin key: those start with sk_car_admin_"),
    ("CARTESIA_ADMIN_API_KEY", "sk_car_admin_", "this is cut short"),
    ("CARTESIA_ADMIN_API_KEY", "sk_car_admin_…", "characters that no key or token has"),
    ("SLACK_BOT_TOKEN", "xapp-1-A1-2-nine", "this is not a bot token: those start with xoxb-"),
    ("SLACK_BOT_TOKEN", "xoxb-1 2", "characters that no key or token has"),
    ("SLACK_BOT_TOKEN", "xoxe.xoxb-1-two", "token rotation switched on: switch it off"),
    ("SLACK_APP_TOKEN", "xoxb-1-2-nine", "this is not an app-level token: those start with xapp-"),
    ("SLACK_SIGNING_SECRET", "two words", "characters that no key or token has"),
    ("DATABASE_URL", "mysql://u:pw99@h/d", "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"),
    ("DATABASE_URL", "sqlite://", "write sqlite:///FILE"),
    ("DATABASE_URL", "agent-usage.db", "write sqlite:///FILE"),
    ("DATABASE_URL", "sqlite://host/usage.db", "write sqlite:///FILE"),
    ("DATABASE_URL", "sqlite:///usage/", "write sqlite:///FILE, where FILE is no folder"),
    ("DATABASE_URL", "sqlite:///usage.db?mode=ro", "write sqlite:///FILE, where FILE is no folder and nothing stands"),
    ("DATABASE_URL", "sqlite:///:memory:", "what is kept in memory only is lost"),
    ("DATABASE_URL", "postgresql+psycopg2://bot:hunter2@db/usage", "or postgresql://USER:PASSWORD@HOST/DATABASE"),
    ("DATABASE_URL", "postgresql://bot:secret@half:otherhalf@db/prod", "with @ as %40"),
    ("DATABASE_URL", "postgresql://bot:secret@half@db/prod", "with @ as %40"),
    ("DATABASE_URL", "postgresql://bot:secret@half/other@db/prod", "with @ as %40"),
    ("DATABASE_URL", "postgresql://bot:secret@half?other@db/prod", "with @ as %40"),
    ("DATABASE_URL", "postgresql://bot:secret/prod", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "postgresql://bot:secret@db1:5432,db2:5432/prod", "?host=HOST:PORT&host=HOST:PORT"),
    ("DATABASE_URL", "postgresql://bot:secret@db:65536/prod", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "postgresql://bot:secret@[::1/prod", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "postgresql://bot:secret@d b/prod", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "postgresql://db/prod?sslmode=require&sslmode=prefer", "HOST:PORT/DATABASE"),
    (
        "DATABASE_URL",
        "postgresql://db/prod?pgbouncer=true",
        "parameter 1 after the ? is none of PostgreSQL's: take it out",
    ),
    (
        "DATABASE_URL",
        "postgresql://db/prod?sslmode=require&schema=half",
        "parameter 2 after the ? is none of PostgreSQL's",
    ),
    ("DATABASE_URL", "postgresql://db/prod?conninfo=half", "parameter 1 after the ? is none of PostgreSQL's"),
    ("DATABASE_URL", "postgresql://bot:half%00secret@db/prod", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "postgresql://db/prod?connect_timeout=soon", "HOST:PORT/DATABASE"),
    ("DATABASE_URL", "sqlite:///a%00b.db", "write sqlite:///FILE, where the name of FILE has at most 200 bytes"),
    ("DATABASE_URL", f"sqlite:///{'x' * 201}", "write sqlite:///FILE, where the name of FILE has at most 200 bytes"),
    ("RULES_HOME", "cloud9", "write 'file' or 'database'"),
    ("CHECK_INTERVAL", "5", "write a duration such as 30s, 5m or 1h"),
    ("CHECK_INTERVAL", "5 minutes", "write a duration"),
    ("CHECK_INTERVAL", "-5m", "write a duration"),
    ("CHECK_INTERVAL", "1.5h", "write a duration"),
    ("CHECK_INTERVAL", "٣m", "write a duration"),
    ("CHECK_INTERVAL", "999999d" * 2000, "write a duration"),
    ("CHECK_INTERVAL", "0s", "write at least 1s"),
    ("CHECK_INTERVAL", "32d", "write at most 31d"),
    ("BLIND_AFTER", "999999d", "write at most 31d"),
    ("BLIND_AFTER", "soon", "write a duration"),
    ("PORT", "http", "write a whole number"),
    ("PORT", "-1", "write at least 0"),
    ("PORT", "65536", "write at most 65535"),
    ("PORT", "9" * 5000, "write a whole number"),
    ("HOST", "http://0.0.0.0", "write an address of this machine"),
    ("HOST", "a" * 64, "write an address of this machine"),
    ("HOST", "999.999.1.1", "write an address of this machine"),
    ("DATABASE_URL", "postgresql://bot:secret\udcff@db/prod", "USER:PASSWORD@HOST"),
    ("HEARTBEAT_URL", "hc-ping.example/99", "write a web address"),
    ("LOG_LEVEL", "chatty9", "write 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("LOG_FORMAT", "xml9", "write 'text' or 'json'"),
    ("CARTESIA_API_URL", "api.cartesia.ai", "write a web address"),
    ("CARTESIA_API_URL", "ftp://api.cartesia.ai", "write a web address"),
    ("CARTESIA_API_URL", "https://api.cartesia.ai:port", "write a web address"),
    ("CARTESIA_API_URL", "https://[api.cartesia.ai", "write a web address"),
    ("CARTESIA_API_URL", "https://", "write a web address"),
    ("CARTESIA_API_URL", "https://xn--/", "write a web address"),
    ("CARTESIA_API_URL", "https://-api..cartesia", "write a web address"),
    ("CARTESIA_API_URL", "https://api.cartesia.ai?x=1", "without ? and #"),
    ("SLACK_API_URL", "https://slack.com/a pi/", "write a web address"),
    ("HTTPS_PROXY", "http://proxy:port", "write http://HOST:PORT"),
    ("HTTPS_PROXY", "http://me:half@half@proxy:3128", "with @ in them as %40"),
    ("HTTP_PROXY", "ftp://proxy", "write http://HOST:PORT"),
    ("all_proxy", "socks5://proxy:1080", "SOCKS is not understood"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD, ids=[f"{name}={text[:20]}" for name, text, _ in BAD])
def test_a_bad_value_is_named_with_what_to_write(name: str, text: str, words: str) -> None:
    [problem] = problems({**GOOD, name: text})
    assert problem.startswith(f"{name}: ")
    assert words in problem


@pytest.mark.parametrize("text", [text for name, text, _ in BAD if name == "DATABASE_URL"])
def test_no_part_of_a_bad_address_is_shown(text: str) -> None:
    [problem] = problems({"DATABASE_URL": text})
    parts = {part for part in re.split(r"[^a-z0-9]+", text) if len(part) > 2}
    assert parts & set(re.split(r"[^a-z0-9]+", problem)) <= {"sqlite", "postgresql", "memory"}


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BAD}))
def test_a_bad_value_is_never_shown(name: str) -> None:
    [problem] = problems({**GOOD, name: "HUSH hush"})
    assert "hush" not in problem.lower()


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_variable_says_what_it_is_for_and_where_to_get_it(name: str) -> None:
    kind = HttpSettings if name == "SLACK_SIGNING_SECRET" else SocketSettings
    [problem] = problems({**GOOD, name: ""}, kind)
    assert problem == f"{name} is missing: it is {WHERE[name]}."


def test_a_malformed_secret_says_where_to_get_it_too() -> None:
    [problem] = problems({"SLACK_APP_TOKEN": "xoxb-1"})
    assert WHERE["SLACK_APP_TOKEN"] in problem


def test_every_problem_is_told_at_once() -> None:
    found = problems(
        {"SLACK_BOT_TOKEN": "xapp-1", "PORT": "x", "CHECK_INTERVAL": "0s", "DATABASE_URL": "?"}, SocketSettings
    )
    assert [problem.partition(" ")[0].rstrip(":") for problem in found] == [
        "CARTESIA_ADMIN_API_KEY",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "DATABASE_URL",
        "CHECK_INTERVAL",
        "PORT",
    ]


@given(
    environ=st.dictionaries(
        st.sampled_from([field.alias for field in Settings.model_fields.values() if field.alias]), st.text(max_size=30)
    )
)
def test_no_environment_whatever_raises_anything_else(environ: dict[str, str]) -> None:
    try:
        load(environ)
    except SettingsError as error:
        assert error.problems  # noqa: PT017 what is raised, if anything, is the point


def test_other_variables_are_none_of_ours() -> None:
    assert load({"PATH": "/bin", "SLACK_CLIENT_SECRET": "x"}) == load({})


# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SLACK_SIGNIN_SECRET", "SLACK_SIGNING_SECRET"),
        ("SLACK_BOT_TOKENS", "SLACK_BOT_TOKEN"),
        ("slack_app_token", "SLACK_APP_TOKEN"),
        ("CARTESIA_ADMIN_KEY", "CARTESIA_ADMIN_API_KEY"),
        ("CHECK_INTERVALL", "CHECK_INTERVAL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("LOGLEVEL", "LOG_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_is_meant(name: str, meant: str) -> None:
    sentence = f"{name} is no variable of this program: is {meant} meant?"
    assert misspelt({name: "hush"}) == [sentence]
    assert sentence in problems({name: "hush", "PORT": "x"})


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("HOSTNAME", id="near HOST, which is too short to tell"),
        pytest.param("PORTS", id="near PORT"),
        pytest.param("SLACK_CLIENT_SECRET", id="Bolt's own"),
        pytest.param("CARTESIA_API_KEY", id="Cartesia's own"),
        pytest.param("LOG_DIR", id="begins like one of ours"),
        pytest.param("MY_SLACK_BOT_TOKEN", id="somebody else's"),
        pytest.param("CHECK_INTERVAL", id="right"),
    ],
)
def test_any_other_name_is_none_of_our_business(name: str) -> None:
    assert misspelt({name: "5m"}) == []


def test_a_name_near_one_that_is_set_is_another_programs() -> None:
    assert misspelt({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_BOT_TOKEN2": "xoxb-2"}) == []


# Durations


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("1h", timedelta(hours=1)),
        ("2d", timedelta(days=2)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse_interval(text) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5M", "1w", "5m5", "1,5h"])
def test_another_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_interval(text)


@pytest.mark.parametrize(
    ("interval", "blind_after", "in_force"),
    [
        pytest.param("5m", "15m", timedelta(minutes=15), id="as long as three intervals"),
        pytest.param("1m", "15m", timedelta(minutes=15), id="longer than three intervals"),
        pytest.param("10m", "15m", timedelta(minutes=30), id="shorter than three intervals"),
        pytest.param("1s", "1s", timedelta(seconds=3), id="a second"),
    ],
)
def test_blind_is_the_longer_of_blind_after_and_three_intervals(
    interval: str, blind_after: str, in_force: timedelta
) -> None:
    assert load({"CHECK_INTERVAL": interval, "BLIND_AFTER": blind_after}).blind_for == in_force


# The transport

KEYS = {"CARTESIA_ADMIN_API_KEY": "sk_car_admin_x", "SLACK_BOT_TOKEN": "xoxb-x"}


def chosen(environ: Mapping[str, str], forced: Transport | None) -> str:
    """The transport whose settings are loaded, or whose token is all that is missing."""
    try:
        settings = load_to_serve(environ, forced)
    except SettingsError as error:
        [problem] = error.problems
        return "socket" if problem.startswith("SLACK_APP_TOKEN is missing") else "http"
    return "socket" if isinstance(settings, SocketSettings) else "http"


@pytest.mark.parametrize(
    ("has", "forced", "transport"),
    [
        pytest.param("", None, "socket", id="nothing is configured: Socket Mode is asked for"),
        pytest.param("app", None, "socket", id="an app token: Socket Mode"),
        pytest.param("secret", None, "http", id="a signing secret: HTTP"),
        pytest.param("app secret", None, "socket", id="both: Socket Mode"),
        pytest.param("app secret", "http", "http", id="both, HTTP forced"),
        pytest.param("secret", "socket", "socket", id="a signing secret, Socket Mode forced"),
        pytest.param("app", "http", "http", id="an app token, HTTP forced"),
        pytest.param("blank secret", None, "http", id="a blank app token is none"),
    ],
)
def test_the_transport_follows_from_what_is_configured(has: str, forced: Transport | None, transport: str) -> None:
    environ = {
        "SLACK_APP_TOKEN": "xapp-1" if "app" in has else " ",
        "SLACK_SIGNING_SECRET": "s" if "secret" in has else "",
    }
    assert chosen({**environ, **KEYS}, forced) == transport


@pytest.mark.parametrize(("forced", "token"), [("socket", "SLACK_APP_TOKEN"), ("http", "SLACK_SIGNING_SECRET")])
def test_what_serve_needs_is_asked_for_all_at_once_and_before_other_mistakes(forced: Transport, token: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_to_serve({"PORT": "x"}, forced)
    assert caught.value.problems == [
        *(f"{name} is missing: it is {WHERE[name]}." for name in (*KEYS, token)),
        "PORT: write a whole number.",
    ]


# Secrets

SECRET = {
    "CARTESIA_ADMIN_API_KEY": "sk_car_admin_HUSH",
    "SLACK_BOT_TOKEN": "xoxb-HUSH",
    "SLACK_APP_TOKEN": "xapp-HUSH",
    "SLACK_SIGNING_SECRET": "HUSH",
    "DATABASE_URL": "postgresql://bot:HUSH@db/usage",
    "HEARTBEAT_URL": "https://hc-ping.example/HUSH",
}


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda settings: settings.model_dump_json(), id="model_dump_json"),
        pytest.param(lambda settings: str(settings.model_dump()), id="model_dump"),
        pytest.param(lambda settings: "{}".format(settings), id="format"),  # noqa: UP032 the method is the point
    ],
)
def test_no_secret_is_printed_with_the_settings(printed: Any) -> None:
    assert "HUSH" not in printed(load(SECRET))


@pytest.mark.parametrize("name", SECRET)
def test_no_secret_is_printed_with_an_error(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**SECRET, name: f"\u00a0HUSH {SECRET[name]}", "PORT": "x"})
    assert "HUSH" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


def test_every_secret_is_known_to_the_log() -> None:
    assert set(load(SECRET).secrets()) == {
        "sk_car_admin_HUSH",
        "xoxb-HUSH",
        "xapp-HUSH",
        "HUSH",
        "https://hc-ping.example/HUSH",
    }


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("postgresql://bot:p%40ss@db/usage", {"p%40ss", "p@ss"}),
        ("postgres://bot:p-ss/word?x#y@db/usage", {"p-ss/word?x#y"}),
        ("postgresql://db/usage?user=bot&password=p%40ss&sslpassword=two", {"p@ss", "two"}),
        ("postgresql://db/usage", set()),
        ("sqlite:///agent-usage.db", set()),
    ],
)
def test_a_databases_password_is_known_to_the_log_in_both_spellings(url: str, passwords: set[str]) -> None:
    assert set(load({"DATABASE_URL": url}).secrets()) == passwords


@pytest.mark.parametrize(
    ("variable", "place", "said"),
    [
        pytest.param("SSL_CERT_FILE", "none", "(there is no such file): write the path of one.", id="no file"),
        pytest.param("SSL_CERT_FILE", "", "(this is a folder: ", id="a folder for a file"),
        pytest.param("SSL_CERT_FILE", "pipe", "(this is a pipe: put a file in its place): ", id="a pipe"),
        pytest.param(
            "SSL_CERT_FILE", "large", "(this file is larger than 10240 KiB: ", id="more than certificates take"
        ),
        pytest.param("SSL_CERT_DIR", "none", "this is no folder: write the path of one ", id="no folder"),
        pytest.param("SSL_CERT_DIR", "large", "this is no folder: write the path of one ", id="a file for a folder"),
    ],
)
def test_where_no_certificates_are_is_told(tmp_path: Path, variable: str, place: str, said: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(SettingsError) as caught:
        load({variable: str(tmp_path / place)})
    [problem] = caught.value.problems
    assert problem.startswith(f"{variable}: ")
    assert said in problem


def test_one_folder_of_several_is_enough(tmp_path: Path) -> None:
    load({"SSL_CERT_DIR": f"/nowhere:{tmp_path}"})
