"""Whether a request is Slack's: its signature over the bytes of the body, and what a wrong one tells. Pure.

https://docs.slack.dev/authentication/verifying-requests-from-slack: `X-Slack-Signature` is `v0=` and the HMAC-SHA256 of
`v0:TIMESTAMP:BODY` by the app's signing secret; a timestamp more than five minutes off is to be refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

TOLERANCE = 300.0  # seconds between Slack's clock and this machine's

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class Verdict(StrEnum):
    """What a request in Slack's form is. Who lacks the secret can forge a fresh time but no signature that fits."""

    GENUINE = "genuine"
    OTHER_CLOCK = "signed with this secret, at a time that is too far from this clock"
    OTHER_SECRET = "signed now, with another secret, or by a stranger"  # noqa: S105 a sentence
    NEITHER = "neither the secret nor the time fits"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of itself: when it was signed, in seconds since 1970, and Slack's signature."""

    timestamp: str
    value: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Signature | None:
        """None where the headers lack, or are not of Slack's form: Slack did not send that."""
        timestamp, value = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        return cls(timestamp, value) if _TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(value) else None

    def seconds_ahead(self, now: float) -> float:
        """How far this machine's clock, at `now` in seconds since 1970, is ahead of the request's; negative: behind."""
        return now - int(self.timestamp)

    def verdict(self, body: bytes, secret: str, now: float) -> Verdict:
        """What the request is, by its body, the app's signing secret, and `now` in seconds since 1970."""
        signed = b"v0:%s:%s" % (self.timestamp.encode(), body)
        fits = hmac.compare_digest(f"v0={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}", self.value)
        if abs(self.seconds_ahead(now)) <= TOLERANCE:
            return Verdict.GENUINE if fits else Verdict.OTHER_SECRET
        return Verdict.OTHER_CLOCK if fits else Verdict.NEITHER
