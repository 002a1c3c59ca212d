"""What Slack's refusals mean, in one table.

The words: https://docs.slack.dev/reference/methods/chat.postMessage and
https://docs.slack.dev/reference/methods/chat.update.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.system.network import untrusted
from bot.system.waiting import LONGEST_ASKED


class Failure(Enum):
    """What to do after a call that Slack did not answer with ok."""

    DESTINATION = auto()  # this channel will not take it: tell the operations channel instead
    CREDENTIAL = auto()  # no channel will take it until somebody mends the token
    PAYLOAD = auto()  # these blocks will never be taken: send simpler ones
    TRANSIENT = auto()  # surely nothing was posted: try again later
    UNCLEAR = auto()  # it may have been posted: look before trying again


@dataclass(frozen=True, slots=True)
class Refusal:
    """One failed call: its class, Slack's own word for it, and the seconds to wait where Slack named them."""

    failure: Failure
    code: str
    retry_after: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether this call will be refused again, however often it is made, while others may go on."""
        return self.code in _LASTING


_LASTING = frozenset({"missing_scope", "not_allowed_token_type", "unknown_method", "http_404", "http_405"})

INCOMPLETE = "incomplete_answer"


class IncompleteAnswer(ValueError):
    """Slack said ok, and not what belongs to it; the text says what is lacking."""


_INVITE = "invite the bot there with /invite, or name another channel in rules.yaml"

DESTINATION_MENDS = {
    "channel_not_found": f"does not exist, or is private and the bot is not in it: create it, {_INVITE}",
    "not_in_channel": f"does not have the bot in it: {_INVITE}",
    "is_archived": "is archived: unarchive it, or name another channel in rules.yaml",
    "is_inactive": "is closed: name another channel in rules.yaml",
    "restricted_action": "lets only some people post: have an admin allow the bot, or name another channel",
    "restricted_action_read_only_channel": "is read-only: allow the bot to post, or name another channel",
    "restricted_action_thread_only_channel": "takes threads only: name another channel in rules.yaml",
    "restricted_action_non_threadable_channel": "takes no threads: name another channel in rules.yaml",
    "restricted_action_thread_locked": "has locked the thread: unlock it, or name another channel in rules.yaml",
    "messages_tab_disabled": "needs the app's Messages tab: switch it on in the app's settings under App Home",
    "cannot_reply_to_message": "takes no replies to the message",
    "thread_not_found": "no longer has the message",
    "message_not_found": "no longer has the message",
    "cant_update_message": "does not let the message be edited",
    "edit_window_closed": "no longer lets the message be edited",
    "ekm_access_denied": "may not be posted to for now, by an admin's decision: ask a workspace admin",
    "access_denied": "may not be posted to by the bot: ask a workspace admin",
    "no_permission": "may not be posted to by the bot: ask a workspace admin",
    "team_not_found": "is in a workspace that is gone: name another channel in rules.yaml",
    "user_not_in_channel": f"does not have the person in it: {_INVITE}",
    "user_not_found": "is nobody's id: correct it in rules.yaml",
}
"""What a destination is or lacks, as the end of a sentence that begins with its name, and how to mend it."""

GONE = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})  # the message, not its channel
UNCHANGEABLE = GONE | {"cant_update_message", "edit_window_closed"}
OF_THREAD = GONE | {"restricted_action_thread_locked", "restricted_action_non_threadable_channel"}

_CREDENTIAL = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
        "team_access_not_granted",
        "enterprise_is_restricted",
        "accesslimited",
        "two_factor_setup_required",
    }
)
_PAYLOAD = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
        "attachment_payload_limit_exceeded",
        "metadata_too_large",
        "markdown_text_conflict",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_post_type",
        "invalid_form_data",
        "invalid_charset",
        "invalid_metadata_format",
        "invalid_metadata_schema",
    }
)
_TRANSIENT = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "request_timeout",
        "org_login_required",
        "team_added_to_org",
    }
)


def mend(code: str, destination: str = "") -> str:
    """What Slack's word means for a destination, as in DESTINATION_MENDS; a person is no channel to be made."""
    if destination.startswith(("U", "W")) and code == "channel_not_found":
        code = "user_not_found"
    return DESTINATION_MENDS.get(code, f"is refused by Slack with the word {code}")


def classify(error: Exception) -> Refusal | None:
    """What this failed call means; None where the exception is no answer of Slack's and no network fault."""
    if isinstance(error, SlackApiError):
        return _refused(error.response)
    if why := untrusted(error):
        return Refusal(Failure.TRANSIENT, why)  # nothing was sent yet
    if isinstance(error, aiohttp.ClientConnectorError):
        return Refusal(Failure.TRANSIENT, "no_connection")  # nothing was sent yet
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return Refusal(Failure.UNCLEAR, "no_answer_in_time")
    if isinstance(error, IncompleteAnswer):
        return Refusal(Failure.UNCLEAR, INCOMPLETE)
    if isinstance(error, aiohttp.ClientError | OSError | ValueError):  # ValueError: an answer that is no JSON
        return Refusal(Failure.UNCLEAR, "broken_answer")
    return None


def _refused(response: Any) -> Refusal:
    status = getattr(response, "status_code", getattr(response, "status", 0))
    body = getattr(response, "data", None)
    code = _word(body.get("error")) if isinstance(body, dict) else ""
    retry_after = _seconds((getattr(response, "headers", None) or {}).get("Retry-After"))
    if status == 429:
        return Refusal(Failure.TRANSIENT, "ratelimited", retry_after)
    if status >= 500 or not code:
        return Refusal(Failure.UNCLEAR, code or f"http_{status}")
    for failure, codes in (
        (Failure.DESTINATION, DESTINATION_MENDS),
        (Failure.CREDENTIAL, _CREDENTIAL),
        (Failure.PAYLOAD, _PAYLOAD),
        (Failure.TRANSIENT, _TRANSIENT),
    ):
        if code in codes:
            return Refusal(failure, code, retry_after)
    return Refusal(Failure.UNCLEAR, code)  # internal_error, fatal_error, service_unavailable, and words added since


def scope_lacking(error: Exception) -> str:
    """The scope that the bot's token lacks, where that is what Slack refused it for; else empty."""
    if not isinstance(error, SlackApiError) or _refused(error.response).code != "missing_scope":
        return ""
    needed = error.response.get("needed")
    return needed if isinstance(needed, str) and re.fullmatch(r"[a-z][a-z.:,_]{0,100}", needed) else "users:read"


def _word(error: Any) -> str:
    """Slack's error word; anything else it may have written is not repeated, since it may quote a token."""
    text = error if isinstance(error, str) else "?" if error else ""
    return text if re.fullmatch(r"[a-z][a-z0-9_]{0,60}", text) else "unknown_error" if text else ""


def _seconds(text: Any) -> float | None:
    try:
        return min(max(0.0, float(text)), LONGEST_ASKED)
    except (TypeError, ValueError):
        return None
