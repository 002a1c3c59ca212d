"""Decisions: what to say about each standing, each with one named reason, also when nothing is said.

The order of the questions is the product: is there news? was what was said corrected? is the window over? should people
be called again? Only then: nothing to say, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.budget import kinds
from bot.budget.incident import Incident, Incidents, LevelKey, Severity
from bot.budget.reason import Reason
from bot.budget.standing import Standing
from bot.windows import midnight

__all__ = ["SHOWN_FOR", "Decision", "Reason", "after", "calls_people", "decide", "is_corrected"]

SHOWN_FOR = timedelta(minutes=15)  # at least, before an incident's message is edited though there is nothing to say


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say about a standing, and why. `tells` are the keys to note as told, the highest first; `before` is the
    incident as it was; `refreshes` says that its message shows an old figure and is edited in silence."""

    standing: Standing
    reason: Reason
    tells: tuple[LevelKey, ...] = ()
    before: Incident | None = None
    refreshes: bool = False


def decide(standings: Iterable[Standing], incidents: Incidents, now: datetime) -> list[Decision]:
    """One decision for each standing."""
    return [_decide(each, incidents.get((each.rule.name, each.window)), now) for each in standings]


def after(decision: Decision, now: datetime) -> Incident | None:
    """The incident once the decision is carried out; None where there is none."""
    before, reason, standing = decision.before, decision.reason, decision.standing
    if not (reason.speaks or decision.refreshes):
        return before
    value = before.shown if before and standing.value is None else Fraction(standing.value or 0)
    incident = before or Incident(now, frozenset(), value, heard_at=now, shown=value, shown_at=now)
    incident = replace(incident, shown=value, shown_at=now)
    if decision.refreshes:
        return replace(incident, closed=incident.closed and not _is_back(standing, incident))
    news = reason.is_news
    return replace(
        incident,
        told=(incident.told | frozenset(decision.tells)) - _taken_back(decision, incident),
        value=value,
        heard_at=now,
        called_at=incident.called_at or (now if news and calls_people(standing) else None),
        snooze=None if news else incident.snooze,
        escalated=incident.escalated or reason is Reason.ESCALATED,
        closed=standing.closed or reason is Reason.CLOSED or (incident.closed and not news),
    )


def _taken_back(decision: Decision, incident: Incident) -> frozenset[LevelKey]:
    """What a correction in an open window takes back: were it true again, that would be news."""
    standing = decision.standing
    if decision.reason is not Reason.CORRECTED or standing.closed:
        return frozenset()
    kept = LevelKey.of(standing.level) if standing.level else None
    return frozenset(key for key in incident.told if key.kind is not Severity.COMING and (kept is None or key > kept))


def _is_back(standing: Standing, incident: Incident) -> bool:
    """Whether the incident was closed since its rule was gone, and the rule watches again while the window lasts."""
    ended = incident.closed and not standing.closed and not standing.removed
    return ended and kinds.of(standing.rule).ends_early is None


def calls_people(standing: Standing) -> bool:
    """Whether the level is one that people are mentioned, and others called in, for."""
    rule = standing.rule
    return standing.level is not None and kinds.of(rule).calls_people(rule, standing.level)


def _decide(standing: Standing, incident: Incident | None, now: datetime) -> Decision:
    reason, tells = _reason(standing, incident, now)
    refreshes = not reason.speaks and incident is not None and _is_outdated(standing, incident, now)
    return Decision(standing, reason, tells, incident, refreshes)


def _reason(standing: Standing, incident: Incident | None, now: datetime) -> tuple[Reason, tuple[LevelKey, ...]]:
    if standing.removed:
        return (Reason.CLOSED if incident and not incident.closed else Reason.BELOW), ()
    if standing.value is None:
        return Reason.TOO_LITTLE_DATA, ()
    if incident is None:
        return _news(standing, None) or (_nothing_to_say(standing), ())
    snoozed = incident.snooze is not None and incident.snooze.holds(standing, now) and not incident.closed
    if news := _news(standing, incident):
        return (Reason.SNOOZED, ()) if snoozed and not standing.closed else news
    if is_corrected(standing, incident):
        return Reason.CORRECTED, ()
    if _is_over(standing, incident):
        return Reason.CLOSED, ()
    if calls := _calls_again(standing, incident, now):
        return (Reason.SNOOZED if snoozed else calls), ()
    return (Reason.SAID if standing.level else _nothing_to_say(standing)), ()


def _nothing_to_say(standing: Standing) -> Reason:
    return Reason.EXPECTED if standing.undeclared and standing.level is None else Reason.BELOW


# News: a level that was not told


def _news(standing: Standing, incident: Incident | None) -> tuple[Reason, tuple[LevelKey, ...]] | None:
    told = incident.told if incident else frozenset()
    if incident and (asked := _asked_for(standing, incident)):
        return Reason.RAISED, (asked, *(_with_lower(standing) if standing.level else ()))
    if standing.level is None:
        return _foreseen(standing, told)
    key, coming = LevelKey.of(standing.level), _foreseen(standing, told)
    if key not in told:  # the message says where the window is heading, too: that is not told once more
        return _reason_of(standing, key, incident), (*_with_lower(standing), *(coming[1] if coming else ()))
    return coming


def _reason_of(standing: Standing, key: LevelKey, incident: Incident | None) -> Reason:
    assert standing.level is not None  # noqa: S101 whoever asks has looked
    reason = kinds.of(standing.rule).reason(standing.rule, standing.level)
    is_higher = incident is not None and bool(incident.told) and key > max(incident.told)
    return Reason.RAISED if reason is Reason.CROSSED and is_higher else reason


def _with_lower(standing: Standing) -> tuple[LevelKey, ...]:
    """The level reached, and what counts as told with it, so that a figure that falls tells none of them."""
    assert standing.level is not None  # noqa: S101 whoever asks has looked
    key = LevelKey.of(standing.level)
    return (key, *kinds.of(standing.rule).told_with(standing.rule, key))


def _foreseen(standing: Standing, told: frozenset[LevelKey]) -> tuple[Reason, tuple[LevelKey, ...]] | None:
    """A crossing that is likely, and was neither foreseen aloud nor has happened."""
    key = kinds.of(standing.rule).foreseen(standing.rule, standing)
    return None if key is None or key in told else (Reason.FORECAST, (key,))


def _asked_for(standing: Standing, incident: Incident) -> LevelKey | None:
    """The amount until which somebody wanted quiet, once it is reached."""
    amount = incident.snooze.amount if incident.snooze else None
    if amount is None or standing.value is None or Fraction(standing.value) < Fraction(amount):
        return None
    severity = kinds.of(standing.rule).severity(standing.rule, amount)
    key = LevelKey(severity, Decimal(amount).normalize())
    return None if key in incident.told else key


# What was said is no longer so


def is_corrected(standing: Standing, incident: Incident) -> bool:
    """Whether the figure last said was changed: of a closed window at all, of an open one below what had been told.

    A window that was closed by a clock that was ahead is open again, and grows as any other.

    Only a restatement makes a sum smaller. A ratio moves both ways within its window, which corrects nothing.
    """
    value = Fraction(standing.value or 0)
    if incident.closed:
        return standing.closed and incident.heard_at >= midnight(standing.window.end) and value != incident.value
    if standing.rule.metric.is_ratio or value >= incident.value or incident.gravest is None:
        return False
    return standing.level is None or LevelKey.of(standing.level) < incident.gravest


def _is_over(standing: Standing, incident: Incident) -> bool:
    """The window has ended, or nothing is reached any more of what ends with that."""
    if incident.closed:
        return False
    return standing.closed or (standing.level is None and kinds.of(standing.rule).ends_early is not None)


# Calling people again


def _calls_again(standing: Standing, incident: Incident, now: datetime) -> Reason | None:
    """Until somebody has acknowledged: another channel in time, and reminders."""
    rule, since = standing.rule, incident.called_at
    if incident.acknowledged or incident.closed or standing.level is None:
        return None
    if rule.escalate and since and not incident.escalated and now - since >= rule.escalate.after:
        return Reason.ESCALATED
    if rule.remind_every and now - incident.heard_at >= rule.remind_every:
        return Reason.REMINDER
    return None


def _is_outdated(standing: Standing, incident: Incident, now: datetime) -> bool:
    """Whether the message shows another figure, for a quarter of an hour already."""
    if standing.value is None:
        return False
    if incident.closed:
        return _is_back(standing, incident)
    return Fraction(standing.value) != incident.shown and now - incident.shown_at >= SHOWN_FOR
