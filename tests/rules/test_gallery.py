"""Every way to get a rules file wrong that we thought of, with what is said about it, word for word.

`tests/bad_rules/NAME.yaml` is the file, `NAME.expected` the lines that `rules check` prints for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.rules.parse import RulesError, decode, parse

GALLERY = Path(__file__).parent.parent / "bad_rules"
BAD_FILES = sorted(GALLERY.glob("*.yaml"))


def lines_about(path: Path) -> list[str]:
    """What is said about the file; no lines where it is a good one."""
    try:
        parse(decode(path.read_bytes()))
    except RulesError as error:
        return [mistake.format(path.name) for mistake in error.mistakes]
    return []


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_a_bad_file_gets_exactly_these_sentences(path: Path) -> None:
    assert lines_about(path) == path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_every_sentence_is_one_sentence_that_says_what_to_do(path: Path) -> None:
    for line in lines_about(path):
        sentence = line.split(": ", 1)[1]
        assert sentence.endswith((".", "?"))
        assert not any(
            word in sentence.lower() for word in ("pydantic", "nonetype", "validat", "input", "exception", "!!str ")
        )


def test_the_gallery_has_one_expected_text_for_each_file() -> None:
    assert {path.stem for path in GALLERY.glob("*.expected")} == {path.stem for path in BAD_FILES}
    assert len(BAD_FILES) >= 45
