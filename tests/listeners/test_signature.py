"""Slack's signature: what is genuine, and what a wrong one tells of the secret and of the clock."""

from __future__ import annotations

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.listeners.signature import Signature, Verdict

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_795_773_425
BODY = "text=R%26D+„ü“"


def signed(body: str = BODY, at: int = NOW, secret: str = SECRET) -> Signature:
    """As Slack's own library signs."""
    value = SignatureVerifier(secret).generate_signature(timestamp=str(at), body=body)
    found = Signature.of({"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": str(value)})
    assert found
    return found


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [
        (signed(), Verdict.GENUINE),
        (signed(at=NOW - 300), Verdict.GENUINE),
        (signed(at=NOW + 300), Verdict.GENUINE),
        (signed(at=NOW - 301), Verdict.OTHER_CLOCK),
        (signed(at=NOW + 400), Verdict.OTHER_CLOCK),
        (signed(secret="another"), Verdict.OTHER_SECRET),
        (signed(body=BODY + " "), Verdict.OTHER_SECRET),
        (signed(at=NOW - 400, secret="another"), Verdict.NEITHER),
    ],
    ids=[
        *("as it is", "five minutes ago", "in five minutes", "a second more", "in the future", "another secret"),
        *("another body", "another secret long ago"),
    ],
)
def test_the_secret_is_told_from_the_clock(signature: Signature, verdict: Verdict) -> None:
    assert signature.verdict(BODY.encode(), SECRET, NOW) is verdict


def test_the_signature_is_over_bytes_that_need_not_be_text() -> None:
    assert signed().verdict(b"\xff\xfe", SECRET, NOW) is Verdict.OTHER_SECRET


@pytest.mark.parametrize("at", [NOW - 400, NOW + 400], ids=["ahead", "behind"])
def test_a_clock_is_ahead_of_what_was_signed_before_and_behind_what_was_signed_after(at: int) -> None:
    assert signed(at=at).seconds_ahead(NOW + 0.25) == NOW + 0.25 - at


@pytest.mark.parametrize(
    ("timestamp", "value"),
    [
        ("", "v0=" + "0" * 64),
        ("12.5", "v0=" + "0" * 64),
        ("-1", "v0=" + "0" * 64),
        ("٣", "v0=" + "0" * 64),
        ("9" * 5000, "v0=" + "0" * 64),
        ("1", ""),
        ("1", "v0="),
        ("1", "v0=é"),
        ("1", "v1=" + "0" * 64),
        ("1", "v0=" + "0" * 64 + "\n"),
        ("1", "v0=" + "A" * 64),
    ],
)
def test_what_has_not_slacks_form_is_no_signature(timestamp: str, value: str) -> None:
    assert Signature.of({"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": value}) is None
    assert Signature.of({}) is None
