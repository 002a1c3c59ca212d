"""What each of Slack's refusals means; the words are those of the chat.postMessage and chat.update pages."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.failures import DESTINATION_MENDS, GONE, Failure, Refusal, classify

WORDS = {
    Failure.DESTINATION: """channel_not_found not_in_channel is_archived is_inactive restricted_action
        restricted_action_read_only_channel restricted_action_thread_only_channel
        restricted_action_non_threadable_channel restricted_action_thread_locked messages_tab_disabled
        cannot_reply_to_message ekm_access_denied access_denied no_permission team_not_found user_not_in_channel
        message_not_found cant_update_message edit_window_closed thread_not_found""",
    Failure.CREDENTIAL: """invalid_auth not_authed account_inactive token_revoked token_expired missing_scope
        not_allowed_token_type team_access_not_granted enterprise_is_restricted accesslimited
        two_factor_setup_required""",
    Failure.PAYLOAD: """invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text
        too_many_attachments attachment_payload_limit_exceeded invalid_metadata_format invalid_metadata_schema
        metadata_too_large markdown_text_conflict invalid_arguments invalid_arg_name invalid_post_type
        invalid_form_data invalid_charset""",
    Failure.TRANSIENT: """ratelimited rate_limited message_limit_exceeded request_timeout org_login_required
        team_added_to_org""",
    Failure.UNCLEAR: "internal_error fatal_error service_unavailable a_word_of_next_year",
}


def refused(body: object, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.com/api/chat.postMessage",
        req_args={},
        data=body,  # type: ignore[arg-type] # a gateway's page is no mapping
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call] # slack_sdk annotates in part


@pytest.mark.parametrize(
    ("failure", "word"), [(failure, word) for failure, text in WORDS.items() for word in text.split()]
)
def test_a_word_of_slacks_has_its_class(failure: Failure, word: str) -> None:
    assert classify(refused({"ok": False, "error": word})) == Refusal(failure, word)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        pytest.param(
            refused({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"}),
            Refusal(Failure.TRANSIENT, "ratelimited", 30),
            id="429 names its time",
        ),
        pytest.param(refused("", 429), Refusal(Failure.TRANSIENT, "ratelimited"), id="429 without a time"),
        *(
            pytest.param(
                refused("", 429, {"Retry-After": asked}),
                Refusal(Failure.TRANSIENT, "ratelimited", wait),
                id=f"429 with {asked} seconds",
            )
            for asked, wait in {
                "1e9": 3600,
                "inf": 3600,
                "nan": 0,
                "-5": 0,
                "Fri, 27 Nov 2026 12:00:00 GMT": None,
            }.items()
        ),
        pytest.param(
            refused("", 429, {"Retry-After": "soon"}), Refusal(Failure.TRANSIENT, "ratelimited"), id="429 with nonsense"
        ),
        pytest.param(refused("<html>", 502), Refusal(Failure.UNCLEAR, "http_502"), id="a gateway's page"),
        pytest.param(
            refused({"ok": False, "error": "channel_not_found"}, 503),
            Refusal(Failure.UNCLEAR, "channel_not_found"),
            id="a 503 leaves everything open",
        ),
        pytest.param(refused({"ok": False}), Refusal(Failure.UNCLEAR, "http_200"), id="a refusal without a word"),
        pytest.param(TimeoutError(), Refusal(Failure.UNCLEAR, "no_answer_in_time"), id="a timeout"),
        pytest.param(
            aiohttp.ServerDisconnectedError(), Refusal(Failure.UNCLEAR, "broken_answer"), id="a dropped connection"
        ),
        pytest.param(
            aiohttp.ServerTimeoutError(), Refusal(Failure.UNCLEAR, "no_answer_in_time"), id="aiohttp's timeout"
        ),
        pytest.param(ConnectionResetError(), Refusal(Failure.UNCLEAR, "broken_answer"), id="a reset connection"),
        pytest.param(ValueError("no JSON"), Refusal(Failure.UNCLEAR, "broken_answer"), id="an answer that is no JSON"),
        pytest.param(KeyError("ours"), None, id="a mistake of ours is none of Slack's"),
    ],
)
def test_what_went_wrong_has_its_class(error: Exception, refusal: Refusal | None) -> None:
    assert classify(error) == refusal


def test_a_connection_that_was_never_made_posted_nothing() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("slack.com", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, OSError("refused"))
    assert classify(error) == Refusal(Failure.TRANSIENT, "no_connection")


@pytest.mark.parametrize("word", DESTINATION_MENDS)
def test_every_dead_destination_says_what_to_do_in_half_a_sentence(word: str) -> None:
    mend = DESTINATION_MENDS[word]
    assert mend
    assert not mend.endswith(".")
    assert "!" not in mend


def test_what_is_gone_is_a_destination() -> None:
    assert set(DESTINATION_MENDS) >= GONE
