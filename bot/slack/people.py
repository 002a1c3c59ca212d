"""What Slack says of people, looked up and remembered; `bot.rules.access` judges by it who may do what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

from cachetools import TTLCache
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import elapsed
from bot.errors import StoreError
from bot.rules.access import (
    ALLOWED,
    NOBODY,
    OUTSIDER,
    RIGHTS,
    Person,
    Profile,
    Right,
    Role,
    Ruling,
    Workspace,
    groups_among,
    is_outsider,
    judge,
    names_with,
    profile_of,
    workspace_of,
)
from bot.rules.models import Access
from bot.slack.entries import passable
from bot.slack.failures import Refusal, classify, scope_lacking
from bot.store.admissions import HOUR, Admissions

BELIEVED: Final = 300.0  # seconds that what Slack said of a person is remembered
MOST: Final = 10_000  # people remembered at once, so that ids without end do not fill the memory
JOINED: Final = 2.0  # seconds for which who asks joins a look-up under way; one that takes longer may hang
PATIENCE: Final = 0.5  # seconds that somebody waits for a look-up: the whole answer is promised within 3

_NOBODY: Final = frozenset({"user_not_found", "user_not_visible"})  # answers about one person, and no outages
_NO_GROUP: Final = frozenset({"no_such_subteam", "subteam_disabled"})

NO_SCOPE: Final = "The bot may not ask Slack who you are: whoever runs it must add the scope {} and install it again."
UNTOLD: Final = {
    Role.VIEWERS: "Slack does not say who you are at the moment ({}), so nothing is shown or changed; try again soon.",
    Role.EDITORS: "Slack does not say who you are at the moment ({}), so nobody may edit; try again soon.",
}

log = logging.getLogger(__name__)

Told = TypeVar("Told", Profile, frozenset[str])
Later = Callable[[Coroutine[Any, Any, None]], None]


class People:
    """Looks people up, and remembers them for five minutes. `later` runs what need not be waited for.

    What Slack says of one person decides about that one. Where it does not answer, whoever was let in within the last
    day keeps a viewer's rights, and nobody has an editor's.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        admissions: Admissions,
        later: Later,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        self.workspace: Workspace | None = None  # until auth.test was answered
        self._client = client
        self._admissions = admissions
        self._later = later
        self._clock = clock
        self._quiet_until = float("-inf")  # as Slack asked by a Retry-After
        self._profiles: TTLCache[str, Profile] = TTLCache(MOST, BELIEVED, clock)
        self._members: TTLCache[str, frozenset[str]] = TTLCache(MOST, BELIEVED, clock)
        self._noted: TTLCache[tuple[str, str], None] = TTLCache(MOST, HOUR / 2, clock)  # so that an hour is written
        self._under_way: dict[str, tuple[asyncio.Task[Any], float]] = {}

    def at_once(self, person: Person, right: Right, access: Access) -> Ruling | None:
        """The ruling where nobody has to be asked. For an editor's right Slack is asked each time it is used."""
        if self.workspace is None:
            return None
        if is_outsider(person, self.workspace):
            return Ruling(OUTSIDER)
        profile = None if RIGHTS[right] is Role.EDITORS else self._profiles.get(person.id)
        if profile is None:
            return None
        groups = groups_among(names_with(right, access))
        members = {group: found for group in groups if (found := self._members.get(group)) is not None}
        return judge(person, profile, self.workspace, access, right, members)

    async def ruling(self, person: Person, right: Right, access: Access) -> Ruling:
        """Whether this person may do this, within a second. What Slack or the database fails to do is in the ruling."""
        known = self.at_once(person, right, access)
        try:
            async with asyncio.timeout(PATIENCE):
                ruling = known or await self._asked(person, right, access)
        except Exception as error:
            if (refusal := classify(error)) is None:
                raise
            late = self.at_once(person, right, access)  # one of several groups may have told enough
            return late or await self._untold(person, right, access, refusal, scope_lacking(error))
        log.debug("%s, %s: %s", person.id, right, ruling.refusal or "let in")
        self._note(person, access, ruling)
        if known is None and not ruling.allows and RIGHTS[right] is Role.VIEWERS:
            self._forget(person, access)
        return ruling

    async def _asked(self, person: Person, right: Right, access: Access) -> Ruling:
        """The ruling by what Slack says now. Raises what its client raises, and ValueError for a broken answer."""
        if self._clock() < self._quiet_until:
            raise TimeoutError
        if self.workspace is None:
            self.workspace = workspace_of(_content(await self._client.auth_test()))
        if is_outsider(person, self.workspace):
            return Ruling(OUTSIDER)
        afresh = RIGHTS[right] is Role.EDITORS
        groups = groups_among(names_with(right, access))
        of_groups = (self._told(self._members, group, self._group, afresh=afresh) for group in groups)
        profile, answers = await asyncio.gather(
            self._told(self._profiles, person.id, self._profile, afresh=afresh),
            asyncio.gather(*of_groups, return_exceptions=True),
        )
        members = {group: found for group, found in zip(groups, answers, strict=True) if isinstance(found, frozenset)}
        if ruling := judge(person, profile, self.workspace, access, right, members):
            return ruling
        raise next(each for each in answers if isinstance(each, BaseException))  # it hangs on a group that is not told

    async def _told(
        self, remembered: TTLCache[str, Told], key: str, ask: Callable[[str], Awaitable[Told]], *, afresh: bool
    ) -> Told:
        """What is remembered, or what Slack says: a look-up that takes longer than somebody waits goes on, is shared by
        who asks meanwhile, and is remembered for the next try. `afresh`, nothing but what Slack says to this one."""
        if not afresh and (known := remembered.get(key)) is not None:
            return known

        async def learn() -> Told:
            found = remembered[key] = await ask(key)
            return found

        task, since = self._under_way.get(key, (None, 0.0))
        if task is None or afresh or self._clock() - since > JOINED:
            task = asyncio.create_task(learn())
            self._under_way[key] = task, self._clock()
            task.add_done_callback(partial(self._ended, key))
        found: Told = await asyncio.shield(task)
        return found

    def _ended(self, key: str, task: asyncio.Task[Any]) -> None:
        if self._under_way.get(key, (None, 0.0))[0] is task:
            del self._under_way[key]
        if not task.cancelled():
            task.exception()  # raised where it was waited for, or nobody waits any more

    async def _profile(self, user_id: str) -> Profile:
        try:
            return profile_of(_content(await self._client.users_info(user=user_id)))
        except SlackApiError as error:
            if (refusal := classify(error)) and refusal.code in _NOBODY:
                return NOBODY
            raise

    async def _group(self, group: str) -> frozenset[str]:
        """Who is in the user group; nobody where there is no such group."""
        try:
            answer = _content(await self._client.usergroups_users_list(usergroup=group))
        except SlackApiError as error:
            if (refusal := classify(error)) and refusal.code in _NO_GROUP:
                return frozenset()
            raise
        return frozenset(passable(answer.get("users"), _member, f"members of {group}"))

    async def _untold(self, person: Person, right: Right, access: Access, refusal: Refusal, scope: str) -> Ruling:
        """The ruling where Slack does not tell who this is."""
        self._quiet_until = max(self._quiet_until, self._clock() + (refusal.retry_after or 0.0))
        role = RIGHTS[right]
        let_in = role is Role.VIEWERS and await self._was_let_in(person, access)
        log.warning("%s can't be looked up (%s): %s", person.id, refusal.code, "let in before" if let_in else "refused")
        if let_in:
            return ALLOWED
        return Ruling(NO_SCOPE.format(scope) if scope else UNTOLD[role].format(refusal.code))

    async def _was_let_in(self, person: Person, access: Access) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._admissions.holds(person.id, access.fingerprint)
        except (StoreError, TimeoutError) as error:
            log.warning("who was let in before can't be looked up: %s", error)
            return False

    def _note(self, person: Person, access: Access, ruling: Ruling) -> None:
        """Keep for a day that this person was let in; it is written once in an hour or so."""
        admitted = (person.id, access.fingerprint)
        if ruling.allows and admitted not in self._noted:
            self._noted[admitted] = None
            self._later(_written(partial(self._admissions.note, *admitted)))

    def _forget(self, person: Person, access: Access) -> None:
        """This person is let in no longer, also while Slack does not answer."""
        self._noted.pop((person.id, access.fingerprint), None)
        self._later(_written(partial(self._admissions.forget, person.id)))


async def _written(write: Callable[[], Awaitable[None]]) -> None:
    try:
        await write()
    except StoreError as error:
        log.warning("who was let in was not kept: %s", error)


def _member(listed: object) -> str | None:
    return listed if isinstance(listed, str) and listed else None


def _content(response: AsyncSlackResponse) -> dict[str, Any]:
    """What an answer says. Raises ValueError where it is no object."""
    match response.data:
        case dict() as content:
            return content
    raise ValueError("an answer that is no object")
