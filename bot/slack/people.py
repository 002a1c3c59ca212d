"""What Slack says of people, looked up and remembered; `bot.rules.access` judges by it who may do what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, Generic, TypeVar

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
PATIENCE: Final = 0.5  # seconds that somebody waits for a look-up: the whole answer is promised within 3

_NOBODY: Final = frozenset({"user_not_found", "user_not_visible"})  # answers about one person, and no outages
_NO_GROUP: Final = frozenset({"no_such_subteam", "subteam_disabled"})

NO_SCOPE: Final = "The bot may not ask Slack who you are: whoever runs it must add the scope {} and install it again."
UNTOLD: Final = {
    Role.VIEWERS: "Slack does not say who you are at the moment ({}), so nothing is shown or changed; try again soon.",
    Role.EDITORS: "Slack does not say who you are at the moment ({}), so nobody may edit; try again soon.",
}

log = logging.getLogger(__name__)

Later = Callable[[Coroutine[Any, Any, None]], None]
Found = TypeVar("Found")


class LookUps(Generic[Found]):
    """What Slack says of each id, by `ask`; remembered for five minutes.

    A look-up goes on when nobody waits for it any more: where Slack is slow, the next try finds what it brought.
    """

    def __init__(self, ask: Callable[[str], Coroutine[Any, Any, Found]], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._found: TTLCache[str, Found] = TTLCache(MOST, BELIEVED, clock)
        self._newest: dict[str, tuple[asyncio.Task[Found], float]] = {}  # of those that go on, and when each began
        self._going_on: set[asyncio.Task[Found]] = set()

    def remembered(self, key: str) -> Found | None:
        return self._found.get(key)

    def of(self, key: str) -> asyncio.Future[Found]:
        """What is remembered, else a look-up: one that began within PATIENCE is shared, since a later one may hang."""
        if (found := self.remembered(key)) is not None:
            known = asyncio.get_running_loop().create_future()
            known.set_result(found)
            return known
        newest = self._newest.get(key)
        return newest[0] if newest and self._clock() - newest[1] < PATIENCE else self.anew(key)

    def anew(self, key: str) -> asyncio.Future[Found]:
        """A look-up that begins now."""
        task = asyncio.create_task(self._looked_up(key))
        self._newest[key] = task, self._clock()
        self._going_on.add(task)
        task.add_done_callback(partial(self._ended, key))
        return task

    async def _looked_up(self, key: str) -> Found:
        found = self._found[key] = await self._ask(key)
        return found

    def _ended(self, key: str, task: asyncio.Task[Found]) -> None:
        self._going_on.discard(task)
        if self._newest.get(key, (None,))[0] is task:
            del self._newest[key]
        if not task.cancelled():
            task.exception()  # raised where it is waited for, or nobody waits any more


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
        self._workspaces = LookUps(self._ask_for_workspace, clock)
        self._profiles = LookUps(self._ask_for_profile, clock)
        self._members = LookUps(self._ask_for_members, clock)
        # Whether they were let in. Admissions are written anew after an hour, which half an hour here can't pass over.
        self._noted: TTLCache[tuple[str, str], bool] = TTLCache(MOST, HOUR / 2, clock)

    def at_once(self, person: Person, right: Right, access: Access) -> Ruling | None:
        """The ruling where nobody has to be asked. For an editor's right Slack is asked each time it is used."""
        if self.workspace is None:
            return None
        if is_outsider(person, self.workspace):
            return Ruling(OUTSIDER)
        profile = None if RIGHTS[right] is Role.EDITORS else self._profiles.remembered(person.id)
        if profile is None:
            return None
        groups = groups_among(names_with(right, access))
        members = {group: found for group in groups if (found := self._members.remembered(group)) is not None}
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
            late = self.at_once(person, right, access)  # an earlier look-up may have ended meanwhile
            if late is None:
                return await self._untold(person, right, access, refusal, scope_lacking(error))
            ruling = late
        log.debug("%s, %s: %s", person.id, right, ruling.refusal or "let in")
        self._note(person, right, access, ruling, is_news=known is None)
        return ruling

    async def _asked(self, person: Person, right: Right, access: Access) -> Ruling:
        """The ruling as soon as enough is known of what is asked all at once.

        Raises what the client raises, and ValueError for a broken answer, where the ruling hangs on that.
        """
        if self._clock() < self._quiet_until:
            raise TimeoutError
        is_edit = RIGHTS[right] is Role.EDITORS
        profile = self._profiles.anew(person.id) if is_edit else self._profiles.of(person.id)
        members_of = self._members.anew if is_edit else self._members.of
        groups = {group: members_of(group) for group in _deciding(person, right, access)}
        needed: list[asyncio.Future[Any]] = [profile] if self.workspace else [self._workspaces.of(""), profile]
        going_on: set[asyncio.Future[Any]] = {*needed, *groups.values()}
        while going_on:
            _, going_on = await asyncio.wait(going_on, return_when=asyncio.FIRST_COMPLETED)
            if self.workspace and is_outsider(person, self.workspace):
                return Ruling(OUTSIDER)
            if not all(each.done() for each in needed):
                continue
            _raise_first(needed)
            assert self.workspace is not None  # noqa: S101 it was among what is needed
            members = {group: each.result() for group, each in groups.items() if each.done() and not each.exception()}
            if ruling := judge(person, profile.result(), self.workspace, access, right, members):
                return ruling
        _raise_first(groups.values())
        raise AssertionError("nothing is known too little of")

    async def _ask_for_workspace(self, _: str) -> Workspace:
        self.workspace = workspace_of(await self._answer(self._client.auth_test()))
        return self.workspace

    async def _ask_for_profile(self, user_id: str) -> Profile:
        try:
            return profile_of(await self._answer(self._client.users_info(user=user_id)))
        except SlackApiError as error:
            if (refusal := classify(error)) and refusal.code in _NOBODY:
                return NOBODY
            raise

    async def _ask_for_members(self, group: str) -> frozenset[str]:
        """Who is in the user group; nobody where there is no such group."""
        try:
            answer = await self._answer(self._client.usergroups_users_list(usergroup=group))
        except SlackApiError as error:
            if (refusal := classify(error)) and refusal.code in _NO_GROUP:
                return frozenset()
            raise
        return frozenset(passable(answer.get("users"), _member, f"members of {group}"))

    async def _answer(self, call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
        """What Slack says; for how long it asks to be left alone is kept, also where nobody waits any more."""
        try:
            return _content(await call)
        except SlackApiError as error:
            if (refusal := classify(error)) and refusal.retry_after:
                self._quiet_until = max(self._quiet_until, self._clock() + refusal.retry_after)
            raise

    async def _untold(self, person: Person, right: Right, access: Access, refusal: Refusal, scope: str) -> Ruling:
        """The ruling where Slack does not tell who this is."""
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

    def _note(self, person: Person, right: Right, access: Access, ruling: Ruling, *, is_news: bool) -> None:
        """Keep for a day that this person was let in, written once an hour; who is let in no longer is forgotten, also
        while Slack does not answer. What is remembered may have come when nobody waited, so it is written as well."""
        admitted = (person.id, access.fingerprint)
        before = self._noted.get(admitted)
        if ruling.allows and before is not True:
            self._noted[admitted] = True
            self._later(_written(partial(self._admissions.note, *admitted)))
        elif not ruling.allows and RIGHTS[right] is Role.VIEWERS and (is_news or before is not False):
            self._noted[admitted] = False
            self._later(_written(partial(self._admissions.forget, person.id)))


def _deciding(person: Person, right: Right, access: Access) -> list[str]:
    """The user groups that may decide whether this person has the right."""
    names = names_with(right, access)
    return [] if person.id in names or "everyone" in names else groups_among(names)


def _raise_first(ended: Iterable[asyncio.Future[Any]]) -> None:
    """Raise what the first of these raised, if any did."""
    for each in ended:
        each.result()


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
