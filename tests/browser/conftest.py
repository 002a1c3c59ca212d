"""The sandbox's page in the machine's own Chromium, with the real bot behind it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from bot.sandbox.show import Show
from bot.sandbox.site import Site
from bot.sandbox.world import real_now
from tests.forks import ForkServer
from tests.samples.figures import tuesday_after

if TYPE_CHECKING:  # it takes half a second to load, which only the test process with the browser spends
    from playwright.async_api import Browser, ConsoleMessage, Locator, Page
    from playwright.async_api._generated import LocatorAssertions

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
Scheme = Literal["light", "dark"]
PICTURES = Path(folder) if (folder := os.environ.get("PICTURES")) else None  # noqa: TID251 an option of this test run
AXE = Path(__file__).parents[2] / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"

# Not all that axe-core returns: to read that here holds up the simulated Slack, for 0.3 s on a quiet machine.
SERIOUS_FINDINGS = """async () => {
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    const serious = violations.filter((each) => ["serious", "critical"].includes(each.impact));
    return serious.map((each) => [each.id, ...each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120))]);
}"""


def expect(what: Locator) -> LocatorAssertions:
    """Playwright's own, loaded once there is something to expect."""
    from playwright.async_api import expect

    return expect(what)


def chromium() -> str:
    """Where the machine's Chromium is; without one the test is skipped, in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or missing("Chromium", "apt-get install chromium")


def missing(what: str, how: str) -> str:
    if os.environ.get("CI"):  # noqa: TID251 the same
        pytest.fail(f"there is no {what} on this machine: .ci/run installs it")
    pytest.skip(f"no {what} on this machine: {how} to run these")


@dataclass
class Visit:
    """A person at the page. `errors` are what the console complained of, `outside` requests that left this machine."""

    show: Show
    url: str
    page: Page
    scheme: Scheme | None = None
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def by(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def does(self, name: str) -> Locator:
        """The button of the panels with this name."""
        return self.page.locator(f'[data-do="{name}"]')

    def message(self, words: str) -> Locator:
        """The last message in the channel with these words."""
        return self.page.locator("#log").get_by_test_id("message").filter(has_text=words).last

    async def types(self, text: str) -> None:
        await self.by("composer").fill(text)
        await self.by("composer").press("Enter")

    async def spends_over_the_threshold(self) -> Locator:
        """A busy hour comes on top of the day; the alert in the channel."""
        await self.does("busy_hour").click()
        alert = self.page.locator("#log").get_by_test_id("message").filter(has_text="🔴 Daily spend").first
        await alert.wait_for(timeout=20_000)
        return alert

    async def tabs_to(self, selector: str, within: int = 150) -> None:
        """Press Tab until the focus is there, so often at most."""
        for _ in range(within):
            if await self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            await self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never leads to {selector}")

    async def proves_nothing_lost_or_doubled(self) -> None:
        """Once nothing waits, the line at the foot says so of something."""
        await expect(self.by("bot-line")).to_contain_text("No message waits", timeout=20_000)
        await expect(self.by("proof")).to_have_text(
            re.compile(r"^[1-9]\d* crossings?, [1-9]\d* messages?, 0 lost, 0 doubled$")
        )

    async def is_whole_and_accessible(self, what: str) -> None:
        """Nothing reaches beyond the window, and axe-core finds nothing serious."""
        assert await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, what
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        assert await self.page.evaluate(SERIOUS_FINDINGS) == [], what

    async def picture(self, name: str) -> None:
        """Keep a picture in its colour scheme where PICTURES says so; a test that runs in one scheme keeps both."""
        if not PICTURES:
            return
        both: tuple[Scheme, ...] = ("dark", "light")
        for scheme in (self.scheme,) if self.scheme else both:
            await self.page.emulate_media(color_scheme=scheme)
            await self.page.screenshot(path=PICTURES / f"{name}_{scheme}.png", animations="disabled")


@asynccontextmanager
async def opened(browser: Browser, show: Show, url: str, **how: Any) -> AsyncIterator[Visit]:
    context = await browser.new_context(locale="en-US", timezone_id="UTC", **how)
    visit = Visit(show, url, await context.new_page(), how.get("color_scheme"))

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visit.errors.append(message.text)

    def asked(request: Any) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            visit.outside.append(request.url)

    visit.page.on("console", heard)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", asked)
    await visit.page.goto(url)
    await visit.by("composer").wait_for()
    yield visit
    # what pytest shows of a test that failed: the page's words and the bot's
    print(await visit.page.locator("body").inner_text(), *(show.bot.lines if show.bot else ()), sep="\n")
    assert visit.errors == []
    assert visit.outside == []
    await context.close()


Open = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests; each page has a profile of its own."""
    from playwright.async_api import async_playwright

    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, tmp_path: Path, forks: ForkServer) -> AsyncIterator[Open]:
    """Opens the page, as often as is asked for; the bot is connected when it does."""
    show = Show(tmp_path, begins=tuesday_after(real_now()))
    show.world.spawn = forks.spawn
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(show.world)
        site = await stack.enter_async_context(Site(show))
        await show.start()
        stack.push_async_callback(show.stop)
        await show.world.slack.socket.wait_connected(timeout=30)

        async def open_one(**how: Any) -> Visit:
            how = {"viewport": {"width": 1440, "height": 900}, **how}
            return await stack.enter_async_context(opened(browser, show, site.url, **how))

        yield open_one
