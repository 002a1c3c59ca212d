"""How the outside is reached: by which proxy, and whose certificates are trusted; the same for every library.

The libraries would not agree: slack_sdk passes over NO_PROXY, takes HTTP_PROXY for https too, and httpx does not start
where NO_PROXY holds an IPv6 network.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined] # typeshed lacks it

import httpcore
import httpx

from bot.errors import SettingsError

AT_ONCE = 1_024  # bytes
MOST_BYTES = 500_000  # of one answer, head and framing included: nobody here is sent half of it
_OF_SOCKETS = {"wss": "https", "ws": "http"}
_PORTS = {"https": 443, "http": 80}


def proxy_for(address: str) -> str | None:
    """The proxy that this address is reached by, as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say; else None."""
    return choose_proxy(address, getproxies())


def choose_proxy(address: str, proxies: Mapping[str, str]) -> str | None:
    """The same by these: the proxy for each scheme or for "all", and under "no" the hosts that are reached directly.

    As https://www.python-httpx.org/environment_variables/ has it: a host in NO_PROXY stands for its subdomains too.
    """
    parts = urlsplit(address)
    scheme = _OF_SOCKETS.get(parts.scheme, parts.scheme)
    proxy = proxies.get(scheme) or proxies.get("all")
    host, port = parts.hostname or "", parts.port or _PORTS.get(scheme)
    excepted = [_of_scheme(entry.strip(), scheme) for entry in proxies.get("no", "").split(",")]
    direct = {"no": ",".join(excepted)}
    if not proxy or "*" in excepted or any(proxy_bypass_environment(each, direct) for each in (host, f"{host}:{port}")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _of_scheme(entry: str, scheme: str) -> str:
    """The host that an entry of NO_PROXY excepts for this scheme: "https://slack.com" is for https alone."""
    of, separator, host = entry.rpartition("://")
    return host if of in ("", "all", scheme) or not separator else ""


class _LittleAtOnce(httpcore.AsyncNetworkStream):
    """A connection that is read a kilobyte at a time, with the loop's other work in between, and no further
    than an answer can be long.

    httpcore takes 64 KiB at a time, and thousands of `100 Continue` or of chunks of one byte fit into that.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = MOST_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        await asyncio.sleep(0)
        data = await self._stream.read(min(max_bytes, AT_ONCE), timeout)
        self._left -= len(data)
        if self._left < 0:
            raise httpcore.ReadError("an answer without end")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._left = MOST_BYTES
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *arguments: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        return _LittleAtOnce(await self._stream.start_tls(*arguments, **named))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Connections(httpcore.AsyncNetworkBackend):
    """Opens such connections, by the library's own way of opening them."""

    def __init__(self, library: httpcore.AsyncNetworkBackend) -> None:
        self._library = library

    async def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        return _LittleAtOnce(await self._library.connect_tcp(*arguments, **named))

    async def sleep(self, seconds: float) -> None:
        await self._library.sleep(seconds)


def _transport(trusted: ssl.SSLContext, proxy: str | None) -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport(verify=trusted, proxy=proxy)
    pool = transport._pool  # httpx has no other way to hand httpcore's network_backend on
    pool._network_backend = _Connections(pool._network_backend)
    return transport


class _ByProxy(httpx.AsyncBaseTransport):
    """Sends each request by the proxy of its address."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        self._ways: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url))
        if proxy not in self._ways:
            self._ways[proxy] = _transport(self._trusted, proxy)
        return await self._ways[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()


def _trusted() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "it holds none in PEM form"
        sentence = f"SSL_CERT_FILE: no certificates can be read from this file ({reason}): write the path of one."
        raise SettingsError([sentence]) from None


def untrusted(error: BaseException | None) -> str | None:
    """What to say where a certificate that is not trusted lies behind this error, with OpenSSL's reason; else None."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) and (why := getattr(error, "verify_message", None)):
            return f"certificate not trusted, see SSL_CERT_FILE: {why}"  # aiohttp's own error of this kind has no why
        error = error.__cause__ or error.__context__
    return None


def http_client(timeout: float = 10.0) -> httpx.AsyncClient:
    """A client whose calls take at most `timeout` seconds. Raises SettingsError where SSL_CERT_FILE is no use."""
    return httpx.AsyncClient(transport=_ByProxy(_trusted()), timeout=httpx.Timeout(timeout))
