"""By which proxy an address is reached, and what is said of a certificate that is not trusted."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.cartesia.client import CartesiaClient
from bot.errors import CertificateUntrusted
from bot.sandbox.world import real_now
from bot.settings import Settings, load
from bot.slack.connection import slack_client
from bot.slack.failures import Failure, Refusal, classify
from bot.system.network import choose_proxy, http_client
from tests.samples.figures import span

PROXY = "http://proxy:3128"
SLACK = "https://slack.com/api/"
SOCKET = "wss://wss-primary.slack.com/link/?ticket=1"


@pytest.mark.parametrize(
    ("proxies", "address", "proxy"),
    [
        pytest.param({}, SLACK, None, id="none"),
        pytest.param({"https": PROXY}, SLACK, PROXY, id="HTTPS_PROXY for https"),
        pytest.param({"https": PROXY}, SOCKET, PROXY, id="HTTPS_PROXY for wss"),
        pytest.param({"https": PROXY}, "http://slack.com/api/", None, id="HTTPS_PROXY is not for http"),
        pytest.param({"http": PROXY}, SLACK, None, id="HTTP_PROXY is not for https"),
        pytest.param({"http": PROXY}, "ws://127.0.0.1/link", PROXY, id="HTTP_PROXY for ws"),
        pytest.param({"all": PROXY}, SLACK, PROXY, id="ALL_PROXY"),
        pytest.param({"https": PROXY, "no": "https://slack.com"}, SLACK, None, id="NO_PROXY with its scheme"),
        pytest.param({"https": PROXY, "no": "all://slack.com"}, SLACK, None, id="NO_PROXY with any scheme"),
        pytest.param({"https": PROXY, "no": "http://slack.com"}, SLACK, PROXY, id="NO_PROXY with another scheme"),
        pytest.param({"all": "http://other", "https": PROXY}, SLACK, PROXY, id="HTTPS_PROXY before ALL_PROXY"),
        pytest.param({"https": "proxy:3128"}, SLACK, PROXY, id="without a scheme"),
    ],
)
def test_each_scheme_has_its_proxy(proxies: dict[str, str], address: str, proxy: str | None) -> None:
    assert choose_proxy(address, proxies) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "address", "direct"),
    [
        pytest.param("slack.com", SLACK, True, id="a host"),
        pytest.param("example.com, SLACK.com", SLACK, True, id="one of several, in any case"),
        pytest.param("slack.com", SOCKET, True, id="a host stands for its subdomains"),
        pytest.param(".slack.com", SOCKET, True, id="a domain"),
        pytest.param("wss-primary.slack.com", SLACK, False, id="a subdomain does not stand for its domain"),
        pytest.param("ack.com", SLACK, False, id="the end of a word is no domain"),
        pytest.param("slack.com:443", SLACK, True, id="with its port"),
        pytest.param("slack.com:8443", SLACK, False, id="with another port"),
        pytest.param("127.0.0.1:8080", "http://127.0.0.1:8080/api/", True, id="an address and a port"),
        pytest.param("*", SLACK, True, id="everything"),
        pytest.param("example.com,*", SLACK, True, id="everything, among others"),
        pytest.param("::1/128,127.0.0.1", "http://127.0.0.1/", True, id="beside an IPv6 network, httpx's undoing"),
        pytest.param("::1", "http://[::1]:8080/", True, id="an IPv6 address"),
        pytest.param("", SLACK, False, id="nothing"),
    ],
)
def test_no_proxy_names_what_is_reached_directly(no_proxy: str, address: str, direct: bool) -> None:
    chosen = choose_proxy(address, {"http": PROXY, "https": PROXY, "no": no_proxy})
    assert chosen == (None if direct else PROXY)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine, which makes the certificate: apt-get install openssl to run these")
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            *subject,
            "-keyout",
            file,
            "-out",
            file,
        ],
        check=True,
        capture_output=True,
    )
    return file


@pytest.fixture
async def self_signed(certificate: Path) -> AsyncIterator[str]:
    """The address of a server whose certificate nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


WHY = "certificate not trusted, see SSL_CERT_FILE: self-signed certificate"


async def test_slacks_certificate_is_called_untrusted(self_signed: str) -> None:
    client = slack_client(load({"SLACK_API_URL": self_signed}, Settings), SecretStr("xoxb-1"), retries=False)
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await client.auth_test()
    assert classify(caught.value) == Refusal(Failure.TRANSIENT, WHY)


async def test_cartesias_certificate_is_called_untrusted_and_not_asked_for_again(self_signed: str) -> None:
    failed: list[object] = []
    async with http_client() as http:
        client = CartesiaClient(http, self_signed, SecretStr("sk_car_admin_1"), real_now)
        with pytest.raises(CertificateUntrusted, match=f"Cartesia could not be reached \\({WHY}\\)"):
            await client.read(span("2026-03-10", str(date(2026, 3, 10))), 30, failed.append)
    assert len(failed) == 1
