"""The documentation names everything a user can meet, and what it shows is true of the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import typer

from bot.budget.decide import Reason
from bot.cli import app
from bot.commands.all import NAMED
from bot.commands.typed.period import PERIODS
from bot.listeners.http_mode import EVENTS
from bot.model import Metric, Period
from bot.rules.models import ALL_RULE_KEYS, Access, Escalation, Expected, Report, Rules, keys_of
from bot.rules.parse import parse
from bot.settings import ADMIN_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Settings, load
from bot.slack.failures import DESTINATION_MENDS, Failure
from bot.slack.manifest import SCOPES

ROOT = Path(__file__).parent.parent
PAGES = [path.relative_to(ROOT).as_posix() for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))]
SECRETS = {ADMIN_KEY: "sk_car_admin_x", BOT_TOKEN: "xoxb-x", APP_TOKEN: "xapp-x", SIGNING_SECRET: "x"}


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    return page(name).split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(name: str) -> set[str]:
    """What stands in backquotes in the first cell of the page's table rows."""
    rows = (line for line in page(name).splitlines() if line.startswith("| `"))
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def yaml_blocks() -> list[tuple[str, str]]:
    """Every example of rules, with where it stands."""
    return [
        (f"{name} block {number}", block)
        for name in PAGES
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL), 1)
    ]


def whole_file(block: str) -> str:
    """The block itself, or a rules file around entries of `rules` or around keys of the top."""
    if re.search(r"^rules:", block, re.MULTILINE):
        return block
    if block.startswith("- "):
        return 'channel: "#voice-spend"\nrules:\n' + "".join(f"  {line}\n" for line in block.splitlines())
    channel = "" if re.search(r"^channel:", block, re.MULTILINE) else 'channel: "#voice-spend"\n'
    return f"{channel}{block}rules: []\n"


@cache
def words_of_the_code() -> str:
    """Every piece of text in the program."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "bot").rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


# Everything is named


def test_every_command_and_option_is_in_the_readme() -> None:
    root = typer.main.get_command(app)
    table = section("README.md", "Commands").splitlines()
    for name, command in root.commands.items():  # type: ignore[attr-defined] # a group, since there are many commands
        inner = {f"{name} {each}": found for each, found in getattr(command, "commands", {}).items()} or {name: command}
        for path, found in inner.items():
            row = next((line for line in table if line.startswith(f"| `{path}")), "")
            assert row, f"README.md has no row for the command {path}"
            for option in (text for parameter in found.params for text in parameter.opts if text.startswith("--")):
                assert option in row, f"README.md does not name {option} of {path}"


def test_every_variable_is_in_the_readme_and_no_other() -> None:
    table = section("README.md", "Environment")
    named = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert named == {str(field.alias) for field in Settings.model_fields.values()}


def test_the_defaults_in_the_readme_are_the_defaults() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|.* \| `([^`]+)` \|$", section("README.md", "Environment"), re.MULTILINE)
    assert len(rows) > 8
    assert load({**dict(rows), **SECRETS}, Settings) == load(SECRETS, Settings)


def test_the_example_environment_lists_every_variable_with_its_default() -> None:
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", page(".env.example"), re.MULTILINE)
    assert {name for name, _ in lines} == {str(field.alias) for field in Settings.model_fields.values()}
    assert load({**dict(lines), **SECRETS}, Settings) == load(SECRETS, Settings)


@pytest.mark.parametrize("part", [Rules, Report, Access, Escalation, Expected])
def test_every_key_of_the_file_is_in_its_page(part: type) -> None:
    codes = set(re.findall(r"`([a-z_]+)`", page("docs/rules.md")))
    assert set(keys_of(part)) <= codes


def test_every_key_of_a_rule_is_in_a_table_of_its_page() -> None:
    assert set(ALL_RULE_KEYS) <= first_cells("docs/rules.md")


def test_every_metric_period_and_reason_is_in_the_page_of_the_rules() -> None:
    assert {metric.value for metric in Metric} <= first_cells("docs/rules.md")
    assert {reason.value for reason in Reason} <= first_cells("docs/rules.md")
    assert all(f"`{period}`" in page("docs/rules.md") for period in Period)


def test_no_reason_is_told_that_does_not_exist() -> None:
    table = section("docs/rules.md", "What a check decides")
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == {reason.value for reason in Reason}


def test_every_endpoint_is_in_the_readme_and_no_other() -> None:
    served = {EVENTS, *re.findall(r'case "GET", "(/[\w/]+)"', page("bot/operate/endpoints.py"))}
    table = section("README.md", "HTTP endpoints")
    assert len(served) > 1
    assert set(re.findall(r"^\| `[A-Z]+ (/[\w/]+)`", table, re.MULTILINE)) == served


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/design.md"])
def test_every_class_of_failure_is_told(name: str) -> None:
    assert {failure.name for failure in Failure} <= first_cells(name)


def test_every_refusal_of_a_channel_has_a_remedy() -> None:
    assert set(DESTINATION_MENDS) <= first_cells("docs/operations.md")


def test_every_scope_is_in_the_readme_with_its_reason() -> None:
    for scope, reason in SCOPES.items():
        row = next((line for line in page("README.md").splitlines() if line.startswith(f"| `{scope}` |")), "")
        assert row, scope
        if reason != SCOPES["channels:join"]:  # the readme says more of this one
            assert reason in row


def test_everything_that_can_be_typed_is_in_the_readme() -> None:
    cells = re.findall(r"^\| ([^|]+) \|", section("README.md", "What people type"), re.MULTILINE)
    split = cells.index("any of these and `by day`, `by week` or `by month`")
    assert set(PERIODS) <= set(re.findall(r"`([^`]+)`", " ".join(cells[:split])))
    assert sorted(cells[split + 1 :]) == sorted(f"`{command.usage}`" for command in NAMED.values())


# What is shown is true


@pytest.mark.parametrize(("place", "block"), yaml_blocks(), ids=[place for place, _ in yaml_blocks()])
def test_every_example_of_rules_is_good(place: str, block: str) -> None:
    assert parse(whole_file(block)), place


def test_there_are_whole_files_among_the_examples() -> None:
    whole = [place for place, block in yaml_blocks() if whole_file(block) == block]
    assert {place.split()[0] for place in whole} == {"README.md", "docs/rules.md"}


def test_the_sentences_about_mistakes_are_the_bots_own() -> None:
    said = {
        line.split(": ", 1)[1]
        for path in (ROOT / "tests" / "bad_rules").glob("*.expected")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    table = section("docs/rules.md", "Common mistakes").split("| --- | --- |")[1]
    shown = [line.strip("| ").split(" | ", 1)[1] for line in table.splitlines() if line.startswith("| ")]
    assert len(shown) > 10
    assert [sentence for sentence in shown if sentence not in said] == []


def test_the_lines_and_messages_of_operations_are_the_bots_own() -> None:
    quoted = re.findall(r"“([^”]+)”", page("docs/operations.md").split("\n## Restarts")[0])
    for title in ("Health endpoints", "When Slack is not heard", "In the log"):
        lines = section("docs/operations.md", title).splitlines()
        quoted += [code for line in lines if line.startswith("| `") for code in _codes(line)]
    assert len(quoted) > 40
    for text in quoted:
        for part in (part.strip(" ().:,") for part in text.split("…")):
            assert part in words_of_the_code(), f"the bot does not say {part!r}"


def _codes(line: str) -> list[str]:
    return re.findall(r"`([^`]+)`", line.split(" | ")[0])


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)\s\"]+)", page(name)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, place = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        assert found.exists(), f"{name}: {target}"
        if place:
            assert place in _headings(found), f"{name}: {target}"


def _headings(path: Path) -> set[str]:
    """The page's headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(page(name) for name in PAGES)
    assert [path.name for path in (ROOT / "docs" / "pictures").iterdir() if path.name not in shown] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_exists(name: str) -> None:
    for named in re.findall(r"`((?:bot|tests|docs)/[\w/.]+)`", page(name)):
        assert (ROOT / named).exists(), f"{name}: {named}"


@pytest.mark.parametrize("name", PAGES)
def test_every_target_of_make_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", page(name), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_shown_exists(name: str) -> None:
    root = typer.main.get_command(app)
    for words in re.findall(r"python -m bot ([a-z][a-z ]*)", page(name)):
        first, *rest = words.split()
        command = root.commands.get(first)  # type: ignore[attr-defined] # a group
        assert command, f"{name}: {words}"
        assert not hasattr(command, "commands") or rest[0] in command.commands, f"{name}: {words}"


def test_the_readme_shows_the_scenes_of_the_sandbox() -> None:
    scenes = re.findall(r'self\._scene\(f?"([^"{]+)', page("bot/sandbox/conversation.py"))
    assert scenes
    assert [scene for scene in scenes if scene not in page("README.md")] == []
