"""What others wrote, made fit to be shown: secrets redacted by their form, so that one which nobody told the log of
stays out of it as well, and characters visible that would steer a terminal or turn the order of what is read."""

from __future__ import annotations

import re

_FORMS: tuple[tuple[str, str], ...] = (
    # Slack's tokens, also those of apps whose tokens rotate: https://docs.slack.dev/authentication/tokens
    (r"(xox[a-z][-.]|xapp-|xwfp-)\w[\w%-]*(?:\.[\w%-]+)*", r"\1…"),
    (r"(sk_car_)(?:admin_)?(?!admin_)[A-Za-z0-9][\w-]*", r"\1…"),  # Cartesia's keys, and not only how they begin
    (r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=%-]{8,}", r"\1…"),
    # Whoever has a response_url or an incoming webhook may post: https://docs.slack.dev/interactivity/handling-user-interaction
    (r"(hooks\.slack(?:-gov)?\.com(?::\d+)?(?:\\?/|%2F))(?:[^\s'\"<>)\\]|\\/)+", r"\1…"),
    # The ticket of a Socket Mode connection, and what other services call a secret in an address
    (r"(?i)([?&;](?:ticket|(?:\w+_)?token|(?:api_?)?key|\w*secret|\w*password|signature)=)[^\s&'\"<>)\\]+", r"\1…"),
    (r"(?i)(['\"](?:ticket|(?:\w+_)?token|\w*secret|\w*password)['\"]\s*:\s*['\"])[^'\"]+", r"\1…"),  # the same in JSON
    (r"(?i)(\bpassword=)(?!PASSWORD)(?:'(?:[^'\\]|\\.)*'|[^\s&'\"]+)", r"\1…"),  # as libpq writes it
    # The password in an address, up to its last @; not the word that shows where a password belongs. Its length is
    # bounded, or a long text of addresses without any @ would take time by its square.
    (r"(://[^\s:/@'\"]*:)(?!PASSWORD@)[^\s'\"]{1,500}@", r"\1…@"),
)  # fmt: skip

# Control characters but for tabs and ends of lines, what else ends a line, the marks that turn the order of writing
# (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters), and halves of characters, which nobody can
# encode
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def redacted(text: str) -> str:
    """The text with “…” for whatever has the form of a secret, and with JSON's escapes for what is not to be seen."""
    for form, shown in _FORMS:
        text = re.sub(form, shown, text)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def steers(text: str) -> bool:
    """Whether it holds a character that would steer a terminal or turn the order of what is read, or is no text."""
    return bool(_STEERING.search(text))
