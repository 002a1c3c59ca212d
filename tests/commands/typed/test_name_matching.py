"""Which alert somebody means, by its number or by a rule's name however that was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.typed.name_matching import meant, near, number_in, split
from bot.commands.typed.user_input import typed_of, words_of

TYPED = {
    "as it is": ("R&D spend", "R&D spend"),
    "in another case": ("Täglich", "TÄGLICH"),
    "with ss for ß": ("Große Kosten", "grosse kosten"),
    "in curly quotes": ("Daily spend", "“Daily spend”"),
    "in bold": ("R&D spend", "*R&D spend*"),
    "with a long dash": ("Q4 - all", "q4 — all"),
    "with an invisible sign": ("R&D spend", "R&\u200bD\u00a0spend"),
    "a name in curly quotes, typed straight": ("“Daily” spend", 'Daily" spend'),
    "a name that ends in a sign, typed without": ("What is spent?", "what is spent"),
}


@pytest.mark.parametrize(("name", "typed"), TYPED.values(), ids=TYPED)
def test_a_name_is_found_however_it_was_typed(name: str, typed: str) -> None:
    assert meant(words_of(typed), ["Another", name]) == [name]


def test_of_names_that_differ_only_so_the_one_typed_letter_for_letter_wins_and_else_all_are_meant() -> None:
    names = ["R–D", "R-D", "r-d"]
    for name in names:
        assert meant(words_of(name), names) == [name]
    assert meant(words_of("R—D"), names) == ["R-D", "R–D", "r-d"]


@given(name=st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=80).map(str.strip))
def test_any_name_that_leaves_something_when_it_is_folded_is_found_in_any_case(name: str) -> None:
    for typed in (name, f"*{name}*", f"“{name}”"):
        assert not words_of(name) or meant(words_of(typed), [name]) == [name]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1", 1),
        ("#12", 12),
        ("alert 12", 12),
        ("Alert #12?", 12),
        ("１２", 12),
        ("0", None),
        ("-1", None),
        ("1 2", None),
    ],
)
def test_a_number_is_one_with_or_without_its_sign(typed: str, number: int | None) -> None:
    assert number_in(words_of(typed)) == number


NAMES = ["Daily spend", "Budget", "Budget 2", "Phone line", "Tomorrow", "Next level", "Alert volume", "R&D – calls"]


@pytest.mark.parametrize(
    ("typed", "alert", "rest"),
    [
        ("daily spend 1 hour", "daily spend", "1 hour"),
        ("daily spend for 2 hours", "daily spend", "for 2 hours"),
        ("“daily spend” until tomorrow", "“daily spend”", "until tomorrow"),
        ("*R&D — calls* 90 min", "*R&D — calls*", "90 min"),
        ("1 1 hour", "1", "1 hour"),
        ("#1 hour", "#1", "hour"),
        ("1 for an hour", "1", "for an hour"),
        ("alert 1 tomorrow", "alert 1", "tomorrow"),
        ("alert volume tomorrow", "alert volume", "tomorrow"),
        ("tomorrow tomorrow", "tomorrow", "tomorrow"),
        ("tomorrow", "tomorrow", ""),
        ("next level next level", "next level", "next level"),
        ("Budget 2 $75", "Budget 2", "$75"),
        ("Budget 2 75", "Budget 2", "75"),
        ("Budget 2 hours", "Budget", "2 hours"),
        ("Budget 2", "Budget 2", ""),
        ("50 60", "50", "60"),
        ("daily spend", "daily spend", ""),
        ("daily spend forever", "daily spend", "forever"),
        ("daily spend -5", "daily spend", "-5"),
        ("nobody 1 hour", "nobody", "1 hour"),
        ("nobody at all", "nobody at all", ""),
        ("1 hour", "", "1 hour"),
        ("2 days", "", "2 days"),
        ("30 minutes", "", "30 minutes"),
    ],
)
def test_an_alert_ends_where_its_name_does(typed: str, alert: str, rest: str) -> None:
    assert tuple(map(typed_of, split(words_of(typed), NAMES))) == (alert, rest)


def test_the_nearest_name_is_found_in_its_own_letters() -> None:
    assert near(words_of("dayli “spend”"), NAMES) == "Daily spend"
    assert near(words_of("R&D call"), NAMES) == "R&D – calls"
    assert near(words_of("xyz"), NAMES) is None
