"""How the addresses among the settings are taken apart. What is wrong is said without any part of the address: it may
hold a password, and where it is malformed nobody can tell where the password ends."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_WRITE = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_WRITE_POSTGRESQL = (
    "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with @ as %40, : as %3A, / as %2F and ? as %3F where the "
    "user or the password holds one, and further hosts as ?host=HOST:PORT&host=HOST:PORT"
)
_PARAMETERS = "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"
_LONGEST_NAME = 200  # bytes; a file system takes 255, and SQLite writes names that are longer by some beside it
_NUMBERS = {  # what libpq reads when it connects, so that a wrong one would be waited for
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "tcp_user_timeout",
}
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}")


def is_host(text: str) -> bool:
    """Whether this is an IP address, or could be the name of a machine (RFC 1123, and underscores)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        *_, last = labels = text.removesuffix(".").split(".")
        return len(text) < 254 and not last.isdigit() and all(_LABEL.fullmatch(label) for label in labels)
    return True


def is_web_address(text: str) -> bool:
    """Whether this is an http or https address of a host that can exist."""
    import httpx

    if not re.fullmatch(r"https?://[!-~]+", text):
        return False
    try:
        parts = urlsplit(text)
        return is_host(parts.hostname or "") and parts.port != 0 and bool(httpx.URL(text).host)
    except (ValueError, httpx.InvalidURL):  # a port that is no number, a bracket left open, Punycode that is none
        return False


def is_base_address(text: str) -> bool:
    """Whether a path can be written behind it."""
    return is_web_address(text) and not re.search(r"[?#]", text)


def is_proxy(text: str) -> bool:
    """Whether HTTPS_PROXY and its kin may say this; without a scheme they mean http://."""
    return is_web_address(text if "://" in text else f"http://{text}") and text.count("@") < 2


def database_address(text: str) -> URL:
    """DATABASE_URL taken apart. Raises ValueError with how to write it, and nothing of what was written."""
    if text.startswith("sqlite:"):
        return _sqlite(text)
    if not re.match(r"postgres(ql)?://.", text):
        raise ValueError(_WRITE)
    url = _postgresql(text)
    if odd := [place for place, name in enumerate(url.query, 1) if not _is_parameter(name)]:
        raise ValueError(f"parameter {odd[0]} after the ? is none of PostgreSQL's: take it out, or see {_PARAMETERS}")
    return url


def _sqlite(text: str) -> URL:
    from sqlalchemy.engine import URL

    found = re.fullmatch(r"sqlite:///([^?]*[^?/])", text)
    if not found:
        raise ValueError("write sqlite:///FILE, where FILE is no folder and nothing stands behind it")
    if len(os.fsencode(unquote(found[1]).rpartition("/")[2])) > _LONGEST_NAME or "\0" in unquote(found[1]):
        raise ValueError("write sqlite:///FILE, where the name of FILE has at most 200 bytes, and none of them is zero")
    if found[1] == ":memory:":
        raise ValueError("write sqlite:///FILE: what is kept in memory only is lost with each restart")
    return URL.create("sqlite+aiosqlite", database=unquote(found[1]))


def _postgresql(text: str) -> URL:
    """As SQLAlchemy reads it, where that leaves no doubt: it takes what follows a stray @ for the host."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        text.encode()  # bytes that are no UTF-8 come as surrogates, which libpq does not take
        url = make_url(re.sub(r"^\w+", "postgresql+psycopg", text))
        url.get_dialect()().create_connect_args(url)  # several hosts have their ports checked here
    except (ArgumentError, ValueError):
        raise ValueError(_WRITE_POSTGRESQL) from None
    has_place = is_host(url.host or "localhost") and (url.port is None or 0 < url.port < 65536)
    if "\0" in unquote(text) or any(not _is_number(url.query[name]) for name in _NUMBERS & url.query.keys()):
        raise ValueError(_WRITE_POSTGRESQL)
    is_given_twice = any(isinstance(value, tuple) and name != "host" for name, value in url.query.items())
    if text.count("@") > 1 or not has_place or is_given_twice:
        raise ValueError(_WRITE_POSTGRESQL)
    return url


def _is_number(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"-?[0-9]{1,9}", value))


def _is_parameter(name: str) -> bool:
    """Whether libpq, which psycopg speaks through, has a connection parameter of this name."""
    from psycopg import ProgrammingError, conninfo

    try:
        return bool(conninfo.make_conninfo(**{name: "1"}))
    except (ProgrammingError, TypeError):  # TypeError: the name of a parameter of make_conninfo itself
        return False
