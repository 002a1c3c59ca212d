"""Who may ask: guests may not, unless the rules' `access` says otherwise (DESIGN section 3)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rules.models import Access
from bot.slack.failures import classify

_KEPT = 300.0  # seconds that what Slack said of a person is believed
_PATIENCE = 0.5  # seconds that an asker waits for it: the whole answer is promised within 3
_PAUSE = 60.0  # seconds before Slack is asked again after it could not tell

log = logging.getLogger(__name__)


class People:
    """Looks people up, and remembers them for five minutes."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._people: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._not_before = 0.0

    def may_ask_at_once(self, user_id: str, access: Access) -> bool | None:
        """The answer where it is remembered, None where Slack has to be asked."""
        person = _remembered(self._people, user_id)
        if "everyone" in access.viewers:
            return None if person is None else not _is_guest(person)
        if user_id in access.viewers:
            return True
        if person is None:
            return None
        if "admins" in access.viewers and _is_admin(person):
            return True
        groups = [_remembered(self._groups, group) for group in _groups(access.viewers)]
        if any(group is None for group in groups):
            return None
        return any(user_id in (group or ()) for group in groups)

    async def may_ask(self, user_id: str, access: Access) -> bool:
        """Whether this person may see figures. Where Slack can't tell, asking is allowed."""
        if time.monotonic() < self._not_before:
            return True
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._look_up(user_id, access)
        except Exception as error:
            self._not_before = time.monotonic() + _PAUSE
            refusal = classify(error)
            if refusal is None and not isinstance(error, SlackApiError):
                raise
            log.warning("rights of %s can't be looked up (%s): asking is allowed", user_id, refusal and refusal.code)
            return True
        return self.may_ask_at_once(user_id, access) is not False

    async def _look_up(self, user_id: str, access: Access) -> None:
        if _remembered(self._people, user_id) is None:
            answer = await self._client.users_info(user=user_id)
            self._people[user_id] = (time.monotonic(), answer["user"])
        for group in _groups(access.viewers):
            if _remembered(self._groups, group) is None:
                listed = await self._client.usergroups_users_list(usergroup=group)
                self._groups[group] = (time.monotonic(), frozenset(listed["users"]))


def _remembered(kept: Mapping[str, tuple[float, Any]], key: str) -> Any | None:
    found = kept.get(key)
    return found[1] if found and time.monotonic() - found[0] < _KEPT else None


def _groups(viewers: tuple[str, ...]) -> list[str]:
    return [name for name in viewers if name.startswith("S")]


def _is_guest(person: Mapping[str, Any]) -> bool:
    return bool(person.get("is_restricted") or person.get("is_ultra_restricted"))


def _is_admin(person: Mapping[str, Any]) -> bool:
    return bool(person.get("is_admin") or person.get("is_owner") or person.get("is_primary_owner"))
