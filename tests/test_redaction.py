"""What has the form of a secret is not shown, and what a person must read is."""

from __future__ import annotations

import time

import pytest

from bot.errors import StoreError
from bot.redaction import redacted


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("token xoxb-12-34-HUSH", id="a bot token"),
        pytest.param("xoxe.xoxp-1-HUSH and xoxe-1-HUSH", id="tokens that rotate"),
        pytest.param("?token=xapp-1-A1-2-HUSH", id="an app token in an address"),
        pytest.param("%22xoxb-12-HUSH%22", id="a token in an encoded body"),
        pytest.param("key sk_car_admin_HUSH-hush1 was refused", id="Cartesia's admin key"),
        pytest.param("sk_car_HUSH", id="Cartesia's other key"),
        pytest.param("{'Authorization': 'Bearer abc.HUSH+/='}", id="a bearer header"),
        pytest.param("wss://wss-primary.slack.com/link/?ticket=ab-HUSH&app_id=A1", id="Slack's one-time ticket"),
        pytest.param("url='ws://127.0.0.1/link?app_id=A1&ticket=HUSH'", id="the ticket at the end"),
        pytest.param("POST https://hooks.slack.com/commands/T1/2/HUSH failed", id="a response_url"),
        pytest.param("hooks.slack-gov.com/services/T1/B1/HUSH", id="a webhook of GovSlack"),
        pytest.param("https%3A%2F%2Fhooks.slack.com%2Factions%2FT1%2FHUSH", id="an encoded response_url"),
        pytest.param(
            '"https:\\/\\/hooks.slack.com\\/commands\\/T0\\/1\\/HUSH"', id="a response_url as some JSON has it"
        ),
        pytest.param('{"ticket": "ab-HUSH", "ok": true}', id="a ticket in JSON"),
        pytest.param("{'app_token': 'HUSH'}", id="a token in a dict"),
        pytest.param("host=db user=bot password=HUSH dbname=prod", id="a password as libpq writes it"),
        pytest.param("postgresql://bot:HUSH@db/prod", id="a database's password"),
        pytest.param("postgresql://bot:HUSH@HUSH/HUSH:HUSH@db/prod", id="a password that nobody encoded"),
        pytest.param("http://me:HUSH@proxy:3128", id="a proxy's password"),
        pytest.param("postgresql://db/prod?user=bot&password=HUSH", id="a password among the parameters"),
    ],
)
def test_a_secret_is_known_by_its_form(text: str) -> None:
    assert "HUSH" not in redacted(text)
    assert "…" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "this is not a bot token: those start with xoxb-. It is the token the bot posts with.",
        "this is not an admin key: those start with sk_car_admin_.",
        "CARTESIA_ADMIN_API_KEY must be an admin key (sk_car_admin_…), get one at https://play.cartesia.ai/keys/admin.",
        "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
        "write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT",
        'connection to server at "127.0.0.1", port 5432 failed: FATAL: password authentication failed for user "bot"',
        "Cannot connect to host slack.com:443 ssl:default [Name or service not known]",
        "http://127.0.0.1:8080/usage?interval=day and ada@example.com",
        "rules.yaml:41:7: write a member id (U…) or a user group id (S…): mention: ['@here']",
    ],
)
def test_a_sentence_for_people_stays_as_it_is(text: str) -> None:
    assert redacted(text) == text


def test_no_error_of_ours_bears_a_secret() -> None:
    assert str(StoreError("no route to postgresql://bot:HUSH@db/prod")) == "no route to postgresql://bot:…@db/prod"


def test_a_long_text_of_addresses_without_a_password_takes_no_time() -> None:
    begun = time.thread_time()
    assert redacted("://a:" * 5_000) == "://a:" * 5_000
    assert time.thread_time() - begun < 1
