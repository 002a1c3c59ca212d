"""Sending one claimed row: look for it where it may have arrived, post it where it belongs, or tell operations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

from bot.jobs.channel_ids import ChannelIds
from bot.logs import ends, repeats
from bot.model import Message
from bot.slack.blocks import repeated, rerouted
from bot.slack.failures import GONE, INCOMPLETE, OF_THREAD, UNCHANGEABLE, Failure, Refusal, mend
from bot.slack.sender import Absent, Posted, Sender, Superseded
from bot.store.outbox import Delivery, Outbox

_LOOKS = 12  # attempts, some eight minutes, after which a history that answers nothing counts as unreadable
_EDITS = 3  # attempts at an edit whose channel is dead: meanwhile a reply may take the incident to another channel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unsent:
    """Why a row is not delivered yet, and whether Slack may have it all the same.

    `dead` names, as a sentence, the channels that take nothing until somebody mends them.
    """

    refusal: Refusal
    unclear: bool
    dead: str | None = None


class Sending:
    """What one attempt does. `operations_channel` is asked for at each use, since the rules may change."""

    def __init__(
        self, outbox: Outbox, sender: Sender, channel_ids: ChannelIds, operations_channel: Callable[[], str | None]
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._channel_ids = channel_ids
        self._operations_channel = operations_channel

    async def send(self, delivery: Delivery) -> Posted | Superseded | Unsent:
        """One attempt. Raises StoreError, before anything was sent."""
        if delivery.action == "edit":
            edited = await self._edit(delivery)
            return edited if isinstance(edited, Superseded) else _unsent(edited)
        message = delivery.message
        if delivery.unclear:
            match await self._look_for(delivery):
                case Posted() as posted:
                    return posted
                case Refusal() as refusal if not _is_dead(refusal) and delivery.attempts <= _LOOKS:
                    return Unsent(refusal, unclear=True)
                case Refusal():
                    message = repeated(message, delivery.id)
        return await self._post(delivery, message)

    async def _edit(self, delivery: Delivery) -> Posted | Superseded | Refusal:
        """Show the present state; where that can't be done any more, the thread tells it, or the next message."""
        root = delivery.root
        assert root is not None  # noqa: S101 the queue's order: an edit is claimed only after its message was delivered
        message = delivery.message
        if root.rerouted:
            message = rerouted(message, delivery.channel, f"it {mend(root.rerouted, delivery.channel)}")
        outcome: Posted | Refusal = Refusal(Failure.DESTINATION, "unknown_place")
        if root.ts:
            outcome = await self._sender.edit(root.channel, root.ts, message)
        if _is_dead(outcome) and outcome.code not in UNCHANGEABLE and delivery.attempts < _EDITS:
            return Refusal(Failure.TRANSIENT, outcome.code)
        if isinstance(outcome, Refusal) and (_is_dead(outcome) or _lasts(outcome)):
            same = repeats(delivery.lane, root.ts, outcome.code)
            log.warning("message %s can't be edited (%s); its thread tells the rest", root.ts, outcome.code, extra=same)
            return Superseded()
        return outcome

    async def _post(self, delivery: Delivery, message: Message) -> Posted | Unsent:
        """In its incident's thread, else in the channel that bears its name now, else in the operations channel."""
        outcome = await self._post_in_thread(delivery, message)
        if outcome is None or _is_dead(outcome):
            outcome = await self._post_by_name(delivery.channel, delivery, message)
        if _is_dead(outcome):
            return await self._post_to_operations(delivery, message, outcome)
        return _unsent(outcome)

    async def _post_in_thread(self, delivery: Delivery, message: Message) -> Posted | Refusal | None:
        """None where it belongs in no thread."""
        root = delivery.root
        if root is None or not root.ts:
            return None
        outcome = await self._post_at(root.channel, delivery, message, thread=root.ts)
        if _is_dead(outcome) and outcome.code not in OF_THREAD:
            posted_for = self._operations_channel() if root.rerouted else delivery.channel
            self._channel_ids.forget(posted_for or delivery.channel, root.channel)
        elif isinstance(outcome, Posted) and not root.rerouted:
            _works(delivery.channel)
        return outcome

    async def _post_by_name(
        self, name: str, delivery: Delivery, message: Message, why: str | None = None
    ) -> Posted | Refusal:
        """By the id that is remembered; where Slack refuses that, in the channel that bears the name now."""
        target = await self._channel_ids.id_or_name(name)
        outcome = await self._post_at(target, delivery, message, why=why)
        if _is_dead(outcome):
            self._channel_ids.forget(name, target)
            afresh = await self._channel_ids.id_or_name(name)
            if afresh != target:
                outcome = await self._post_at(afresh, delivery, message, why=why)
        if isinstance(outcome, Posted) and outcome.channel:
            self._channel_ids.learn(name, outcome.channel)
            _works(name)
        return outcome

    async def _post_to_operations(self, delivery: Delivery, message: Message, refused: Refusal) -> Posted | Unsent:
        """The alert itself, in the operations channel, with the broken channel named and how to mend it."""
        operations, dead = self._operations_channel(), _takes_none(delivery.channel, refused)
        if not operations or operations == delivery.channel:
            return Unsent(refused, unclear=False, dead=dead)
        log.error("%s", dead, extra=repeats(delivery.channel, refused.code))
        message = rerouted(message, delivery.channel, f"it {mend(refused.code, delivery.channel)}")
        outcome = await self._post_by_name(operations, delivery, message, why=refused.code)
        if _is_dead(outcome):
            return Unsent(outcome, unclear=False, dead=f"{dead}. {_takes_none(operations, outcome)}")
        return _unsent(outcome)

    async def _post_at(
        self, channel: str, delivery: Delivery, message: Message, thread: str | None = None, why: str | None = None
    ) -> Posted | Refusal:
        """Post to the channel's id or name, after joining it where that helps; noted beforehand, to be looked for.

        `why` it is the operations channel. A second ok that does not say where the message stands is believed.
        """
        target = "" if channel.startswith("#") else channel
        await self._outbox.note_target(delivery, target, why)
        of_row = (message, delivery.id, delivery.kind, thread, delivery.broadcast)
        outcome = await self._sender.post(channel, *of_row)
        if _is(outcome, "not_in_channel") and await self._sender.join(channel):
            outcome = await self._sender.post(channel, *of_row)
        if delivery.unclear and _is(outcome, INCOMPLETE):
            log.warning("%s: Slack took a message and does not say where it stands", delivery.channel)
            return Posted(target, "")
        return outcome

    async def _look_for(self, delivery: Delivery) -> Posted | Absent | Refusal:
        """Whether an earlier attempt arrived, where it was noted to go: in its thread, and in the channel itself."""
        if delivery.target is None:
            return Absent()
        name = self._operations_channel() if delivery.rerouted else None
        target = delivery.target or await self._channel_ids.id_of(name or delivery.channel)
        if target is None:
            return Refusal(Failure.DESTINATION, "unknown_channel")
        if isinstance(target, Refusal):
            return target
        root = delivery.root
        thread = root.ts if root and root.channel == target else ""
        found = await self._find(delivery, target, thread) if thread else Absent()
        if isinstance(found, Absent) or (isinstance(found, Refusal) and found.code in GONE):
            return await self._find(delivery, target, None)
        return found

    async def _find(self, delivery: Delivery, target: str, thread: str | None) -> Posted | Absent | Refusal:
        found = await self._sender.find(target, delivery.id, delivery.first_sent, thread)
        if _is(found, "not_in_channel") and await self._sender.join(target):
            found = await self._sender.find(target, delivery.id, delivery.first_sent, thread)
        return found


def _unsent(outcome: Posted | Refusal) -> Posted | Unsent:
    return outcome if isinstance(outcome, Posted) else Unsent(outcome, outcome.failure is Failure.UNCLEAR)


def _is_dead(outcome: object) -> TypeGuard[Refusal]:
    """Whether this destination will not take it, however often it is tried."""
    return isinstance(outcome, Refusal) and outcome.failure is Failure.DESTINATION


def _is(outcome: object, code: str) -> bool:
    return isinstance(outcome, Refusal) and outcome.code == code


def _lasts(refusal: Refusal) -> bool:
    return refusal.lasts and refusal.failure is not Failure.CREDENTIAL


def _works(channel: str) -> None:
    log.info("%s takes messages again", channel, extra=ends(channel))


def _takes_none(channel: str, refusal: Refusal) -> str:
    return f"{channel} takes no messages ({refusal.code}): it {mend(refusal.code, channel)}"
