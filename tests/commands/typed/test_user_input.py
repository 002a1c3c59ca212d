"""One text, typed in the ways that keyboards, phones, clipboards and Slack make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.typed.user_input import folded, unescaped

FOLDED = {
    "Slack's bold, italics, strike and code": ("*Daily* _spend_ ~Daily~ `spend`", "daily spend daily spend"),
    "bold over several words": ("*Daily spend*", "daily spend"),
    "marks in marks": ("*_“Daily spend”_*", "daily spend"),
    "quotes of a phone": ("“Daily spend” ‘Daily spend’", "daily spend daily spend"),
    "quotes of other languages": ("„Daily“ «spend» 「Daily」 ‹spend›", "daily spend daily spend"),
    "an apostrophe within": ("it’s", "it's"),
    "every dash": ("a‐b‑c‒d–e—f―g−h－i﹘j", "a-b-c-d-e-f-g-h-i-j"),
    "three dots in one": ("2026-11-01…2026-11-15", "2026-11-01...2026-11-15"),
    "blanks that do not break": ("Daily\u00a0spend\u2007now\u202fplease\u3000", "daily spend now please"),
    "what nobody sees": ("\ufeffDa\u200bi\u200dly\u2060 \u2066sp\u00adend\u2069 ❤\ufe0f\u034f", "daily spend ❤"),
    "wide letters and digits": ("Ｒ＆Ｄ　２０２６", "r&d 2026"),
    "digits of other scripts": ("٢٠٢٦ २०२६", "2026 2026"),
    "raised digits and fractions stay": ("m² ½ ①", "m² ½ ①"),
    "letters in any case": ("TÄGLICH Straße ΣΊΣΥΦΟΣ", "täglich strasse σίσυφοσ"),
    "letters in two parts": ("Ta\u0308glich", "täglich"),
    "joined letters": ("ﬁnance", "finance"),
    "the end of a sentence": ("today. today? today! today?! today, ¿today? today…", " ".join(["today"] * 7)),
    "marks within a name": ("cost_per_call a*b 1.5 $1,250.50", "cost_per_call a*b 1.5 $1,250.50"),
    "two dots are no end": ("2026-03-01..", "2026-03-01.."),
    "a sign alone": ("A * B - ... !", "a b - ... !"),
    "marks around nothing": ("`` “”", ""),
}


@pytest.mark.parametrize(("typed", "text"), FOLDED.values(), ids=FOLDED)
def test_the_ways_to_type_a_text_fold_to_one(typed: str, text: str) -> None:
    assert folded(typed) == text


@given(typed=st.text())
def test_a_fold_has_single_blanks_and_is_not_folded_further(typed: str) -> None:
    text = folded(typed)
    assert folded(text) == text
    assert text.split() == ([] if text == "" else text.split(" "))


UNESCAPED = {
    "Slack's three signs": ("R&amp;D &lt;b&gt;", "R&D <b>"),
    "once and no more": ("&amp;lt; &amp;amp;", "&lt; &amp;"),
    "no other entity": ("&quot; &#38; &nbsp;", "&quot; &#38; &nbsp;"),
    "a channel": ("<#C012|voice-spend> <#C987>", "#voice-spend #C987"),
    "a person": ("<@U012|mo> <@U012>", "@mo @U012"),
    "a group and everybody here": ("<!subteam^S012|@finance> <!here> <!here|@here>", "@finance @here @here"),
    "a link": ("<https://rd.example.com|R&amp;D> <https://a.example>", "R&D https://a.example"),
    "an address": ("<mailto:a@b.example|a@b.example>", "a@b.example"),
    "a date": ("<!date^1795352400^{date}|2026-11-05>", "2026-11-05"),
    "what looks like one and was typed": ("&lt;!channel&gt; &lt;#C012|x&gt;", "<!channel> <#C012|x>"),
}


@pytest.mark.parametrize(("sent", "typed"), UNESCAPED.values(), ids=UNESCAPED)
def test_what_slack_sends_is_read_as_it_was_typed(sent: str, typed: str) -> None:
    assert unescaped(sent) == typed


@given(typed=st.text())
def test_any_text_that_slack_escaped_comes_back(typed: str) -> None:
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert unescaped(sent) == typed
