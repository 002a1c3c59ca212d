"""Secrets recognised by their form, so that one which nobody told the log of stays out of it as well."""

from __future__ import annotations

import re

_FORMS: tuple[tuple[str, str], ...] = (
    # Slack's tokens, also those of apps whose tokens rotate: https://docs.slack.dev/authentication/tokens
    (r"(xox[a-z][-.]|xapp-|xwfp-)\w[\w%-]*(?:\.[\w%-]+)*", r"\1…"),
    (r"(sk_car_)(?:admin_)?(?!admin_)[A-Za-z0-9][\w-]*", r"\1…"),  # Cartesia's keys, and not only how they begin
    (r"(?i)\b(bearer\s+)[\w.~+/=%-]{8,}", r"\1…"),
    # Whoever has a response_url or an incoming webhook may post: https://docs.slack.dev/interactivity/handling-user-interaction
    (r"(hooks\.slack(?:-gov)?\.com(?::\d+)?(?:\\?/|%2F))(?:[^\s'\"<>)\\]|\\/)+", r"\1…"),
    # The ticket of a Socket Mode connection, and what other services call a secret in an address
    (r"(?i)([?&;](?:ticket|(?:\w+_)?token|(?:api_?)?key|\w*secret|\w*password|signature)=)[^\s&'\"<>)\\]+", r"\1…"),
    (r"(?i)(['\"](?:ticket|(?:\w+_)?token|\w*secret|\w*password)['\"]\s*:\s*['\"])[^'\"]+", r"\1…"),  # the same in JSON
    (r"(?i)(\bpassword=)(?!PASSWORD)[^\s&'\"]+", r"\1…"),  # as libpq writes it
    # The password in an address, up to its last @; not the word that shows where a password belongs. Its length is
    # bounded, or a long text of addresses without any @ would take time by its square.
    (r"(://[^\s:/@'\"]*:)(?!PASSWORD@)[^\s'\"]{1,500}@", r"\1…@"),
)  # fmt: skip


def redacted(text: str) -> str:
    """The text with “…” for whatever has the form of a secret."""
    for form, shown in _FORMS:
        text = re.sub(form, shown, text)
    return text
