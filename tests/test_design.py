"""docs/design.md: its words are those of the code, and the places where new things go are there."""

from __future__ import annotations

import ast
import keyword
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = [path for path in sorted((ROOT / "bot").rglob("*.py")) if "sandbox" not in path.parts]
DOMAIN = ("budget", "jobs", "store")  # whose classes are named by the table
PLAIN = """
above absent answer as at attempted below cause channel client database failure file files found ids in inputs judged
key locked lock log message notification of open problem recorded root runner say scheduled sending settings severity
store stored sums taken text texts time timer unsent usual utc watch would
"""


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(title: str) -> str:
    return page("docs/design.md").split(f"\n## {title}\n")[1].split("\n## ")[0]


def words() -> list[str]:
    """Every single word of the table's first column, without what follows a comma to tell two meanings apart."""
    rows = re.findall(r"^\| ([^|`]+) \| ", section("Words"), re.MULTILINE)[1:]
    return sorted({word for row in rows for word in re.findall(r"[a-z]+", re.sub(r", (of|inside) .*", "", row))})


def stem(word: str) -> str:
    """What its forms have in common: deliver(y), deliver(ies); acknowledg(e), acknowledg(ed)."""
    return word if len(word) < 5 else re.sub(r"(s|y|e|ion|ement)$", "", word)


def parts(name: str) -> Iterator[str]:
    for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name):
        yield part.lower()


@cache
def in_use() -> frozenset[str]:
    """The words that names in the code, and the headings of the page, are made of."""
    found = {
        part for heading in re.findall(r"^#+ (.*)$", page("docs/design.md"), re.MULTILINE) for part in parts(heading)
    }
    for path in CODE:
        with tokenize.open(path) as file:
            tokens = [each for each in tokenize.generate_tokens(file.readline) if each.type == tokenize.NAME]
        found.update(part for each in tokens if not keyword.iskeyword(each.string) for part in parts(each.string))
    return frozenset(found)


@pytest.mark.parametrize("word", words())
def test_each_word_of_the_table_is_in_use(word: str) -> None:
    assert any(used.startswith(stem(word)) for used in in_use()), f"{word!r} names nothing any more"


def test_each_class_of_the_domain_is_named_by_the_table_and_plain_english() -> None:
    stems = tuple(stem(word) for word in words())
    classes = {
        node.name
        for path in CODE
        if path.relative_to(ROOT / "bot").parts[0] in DOMAIN
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    known = PLAIN.split()
    found = {part for name in classes for part in parts(name)}
    assert sorted(part for part in found if part not in known and not part.startswith(stems)) == []


def places() -> list[tuple[str, str]]:
    """Each place that the list names, with what it says stands there, or with nothing."""
    text = section("Where new things go").replace("\n", " ")
    named = re.findall(r"`([A-Za-z_.]+)`(?: or `[A-Za-z_.]+`)? (?:in|of) `([^`]+/[^`]+)`", text)
    paths = [path for path in re.findall(r"`([^` ]+)`", text) if "/" in path and not path.startswith("/")]
    return sorted({*((path, name) for name, path in named), *((path, "") for path in paths)})


@pytest.mark.parametrize(("path", "name"), places())
def test_each_place_where_something_new_goes_is_there(path: str, name: str) -> None:
    assert (ROOT / path).exists(), f"{path} is no more"
    if name:
        assert re.search(rf"\b{re.escape(name)}\b", (ROOT / path).read_text(encoding="utf-8")), f"{path} has no {name}"


def test_there_is_one_such_list() -> None:
    assert "docs/design.md#where-new-things-go" in page("CONTRIBUTING.md")
    assert not re.search(r"`bot/\w+/\w+\.py`", page("CONTRIBUTING.md").split("## When you add something")[1])


@pytest.mark.parametrize("room", sorted(path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")))
def test_each_room_is_in_the_table_of_rooms_and_has_its_floor(room: str) -> None:
    assert f"| `{room}/` |" in section("Two paths")
    layers = page("pyproject.toml").split("\nlayers = [")[1].split("\n]")[0]
    assert re.search(rf'["| (]{room}["| )]', layers)


def test_each_job_is_among_the_jobs_of_the_composition_root() -> None:
    made = sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Job"
        for path in (ROOT / "bot/jobs").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    tree = ast.parse(page("bot/app.py"))
    [listed] = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "jobs"
    ]
    assert isinstance(listed, ast.Tuple)
    assert len(listed.elts) == made > 0


def test_each_target_of_make_says_what_it_does() -> None:
    [phony] = re.findall(r"^\.PHONY: (.*)$", page("Makefile"), re.MULTILINE)
    said = re.findall(r"^([a-z]+):.*## .+$", page("Makefile"), re.MULTILINE)
    assert sorted(phony.split()) == sorted(said)
