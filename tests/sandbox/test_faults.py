"""Which call a planned fault strikes."""

from __future__ import annotations

import pytest

from bot.sandbox.faults import Fault, Faults

A = Fault("drop")
B = Fault("hang")


def test_a_fault_strikes_as_often_as_planned() -> None:
    faults = Faults()
    faults.add("m", A, times=2)
    assert [faults.next("m") for _ in range(3)] == [A, A, None]


def test_a_fault_skips_the_calls_before_it() -> None:
    faults = Faults()
    faults.add("m", A, after=2)
    assert [faults.next("m") for _ in range(4)] == [None, None, A, None]


def test_faults_strike_in_the_order_they_were_added() -> None:
    faults = Faults()
    faults.add("m", A)
    faults.add("m", B)
    assert [faults.next("m") for _ in range(3)] == [A, B, None]


def test_a_fault_without_an_end_strikes_until_cleared() -> None:
    faults = Faults()
    faults.add("m", A, times=None)
    assert [faults.next("m") for _ in range(5)] == [A] * 5
    faults.clear("m")
    assert faults.next("m") is None


def test_a_fault_strikes_only_its_endpoint() -> None:
    faults = Faults()
    faults.add("m", A)
    assert (faults.next("other"), faults.next("m")) == (None, A)


def test_a_star_stands_for_every_endpoint() -> None:
    faults = Faults()
    faults.add("*", A, times=None)
    assert (faults.next("one"), faults.next("two")) == (A, A)


def test_a_fault_can_be_for_some_calls_only() -> None:
    faults = Faults()
    faults.add("m", A, where=lambda args: args["channel"] == "C1")
    assert [faults.next("m", {"channel": name}) for name in ("C2", "C1", "C1")] == [None, A, None]


def test_clearing_all_forgets_every_endpoint() -> None:
    faults = Faults()
    faults.add("one", A)
    faults.add("two", B)
    faults.clear()
    assert (faults.next("one"), faults.next("two")) == (None, None)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="explode"):
        Fault("explode")
