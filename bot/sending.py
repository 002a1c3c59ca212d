"""Sending one claimed row: look for it where it may have arrived, post it where it belongs, or tell operations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.channels import Channels
from bot.model import Message
from bot.slack.blocks import repeated, rerouted
from bot.slack.failures import DESTINATION_MENDS, GONE, Failure, Refusal
from bot.slack.sender import Absent, Posted, Sender
from bot.store.outbox import Delivery, Outbox

_LOOKS = 12  # attempts, some eight minutes, after which a history that answers nothing counts as unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unsent:
    """Why a row is not delivered yet, and whether Slack may have it all the same."""

    refusal: Refusal
    unclear: bool


class Sending:
    """What one attempt does. `operations_channel` is asked for at each use, since the rules may change."""

    def __init__(self, outbox: Outbox, sender: Sender, operations_channel: Callable[[], str | None]) -> None:
        self._outbox = outbox
        self._sender = sender
        self._operations_channel = operations_channel
        self._channels = Channels(sender, outbox)

    async def send(self, delivery: Delivery) -> Posted | Unsent:
        """One attempt. Raises StoreError, before anything was sent."""
        if delivery.action == "edit":
            return _unsent(await self._edit(delivery))
        message = delivery.message
        if delivery.unclear:
            match await self._look_for(delivery):
                case Posted() as posted:
                    return posted
                case Refusal(failure=Failure.DESTINATION):
                    message = repeated(message, delivery.id)
                case Refusal() as refusal if delivery.attempts <= _LOOKS:
                    return Unsent(refusal, unclear=True)
                case Refusal():
                    message = repeated(message, delivery.id)
        outcome = await self._post_where_it_belongs(delivery, message)
        if isinstance(outcome, Refusal) and outcome.failure is Failure.DESTINATION:
            outcome = await self._post_to_operations(delivery, message, outcome)
        return _unsent(outcome)

    async def _edit(self, delivery: Delivery) -> Posted | Refusal:
        root = delivery.root
        assert root is not None  # noqa: S101 the queue's order: an edit is claimed only after its message was delivered
        message = (
            rerouted(delivery.message, delivery.channel, _mend(root.rerouted)) if root.rerouted else delivery.message
        )
        outcome = await self._sender.edit(root.channel, root.ts, message)
        if isinstance(outcome, Refusal) and (
            outcome.failure is Failure.DESTINATION or (outcome.lasts and outcome.failure is not Failure.CREDENTIAL)
        ):
            log.warning("message %s can't be edited (%s); its thread tells the rest", root.ts, outcome.code)
            return Posted(root.channel, root.ts)
        return outcome

    async def _post_where_it_belongs(self, delivery: Delivery, message: Message) -> Posted | Refusal:
        """Post; into a public channel after joining it, and outside a thread that is gone."""
        root = delivery.root
        channel = root.channel if root else await self._channels.id_or_name(delivery.channel)
        thread = root.ts if root else None
        if delivery.rerouted:
            await self._outbox.note_rerouting(delivery, None)
        of_row = (message, delivery.id, delivery.kind, thread, delivery.broadcast)
        outcome = await self._sender.post(channel, *of_row)
        if isinstance(outcome, Refusal) and outcome.code == "not_in_channel" and await self._sender.join(channel):
            outcome = await self._sender.post(channel, *of_row)
        if isinstance(outcome, Refusal) and outcome.code in GONE:
            outcome = await self._sender.post(channel, message, delivery.id, delivery.kind, None)
        if isinstance(outcome, Posted) and delivery.root is None:
            self._channels.learn(delivery.channel, outcome.channel)
        return outcome

    async def _post_to_operations(self, delivery: Delivery, message: Message, refused: Refusal) -> Posted | Refusal:
        """The alert itself, in the operations channel, with the broken channel named and how to mend it."""
        operations = self._operations_channel()
        if not operations or operations == delivery.channel:
            return refused
        log.error("%s takes no messages (%s): %s", delivery.channel, refused.code, _mend(refused.code))
        await self._outbox.note_rerouting(delivery, refused.code)
        message = rerouted(message, delivery.channel, _mend(refused.code))
        place = await self._channels.id_or_name(operations)
        return await self._sender.post(place, message, delivery.id, delivery.kind, None)

    async def _look_for(self, delivery: Delivery) -> Posted | Absent | Refusal:
        """Whether an earlier attempt arrived, in the channel that it went to."""
        root, channel = delivery.root, delivery.channel
        if delivery.rerouted:
            root, channel = None, self._operations_channel() or delivery.channel
        place = root.channel if root else await self._channels.id_of(channel)
        if place is None:
            return Refusal(Failure.DESTINATION, "unknown_channel")
        if isinstance(place, Refusal):
            return place
        thread = root.ts if root else None
        found = await self._sender.find(place, delivery.id, delivery.first_sent, thread)
        if isinstance(found, Refusal) and found.code == "not_in_channel" and await self._sender.join(place):
            found = await self._sender.find(place, delivery.id, delivery.first_sent, thread)
        return found


def _unsent(outcome: Posted | Refusal) -> Posted | Unsent:
    return outcome if isinstance(outcome, Posted) else Unsent(outcome, outcome.failure is Failure.UNCLEAR)


def _mend(code: str) -> str:
    return DESTINATION_MENDS.get(code, f"Slack says {code}")
