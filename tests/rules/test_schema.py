"""The checked-in JSON Schema is the models', and accepts what the parser accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from ruamel.yaml import YAML

from bot.rules import schema
from bot.rules.parse import parse
from tests.rules.samples import rules_files

ROOT = Path(__file__).parent.parent.parent
CHECKED_IN = ROOT / "bot" / "rules" / "rules.schema.json"
BAD_FILES = ROOT / "tests" / "bad_rules"
VALIDATOR = jsonschema.Draft7Validator(schema.json_schema())


def loaded(text: str) -> Any:
    """The file as an editor sees it: YAML 1.2 knows no dates, so that a bare one is text."""
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", type(yaml.constructor).construct_yaml_str)
    return yaml.load(text)


def test_the_checked_in_schema_is_the_models_own() -> None:
    assert CHECKED_IN.read_text(encoding="utf-8") == schema.schema_text()


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(schema.schema_text()))


@pytest.mark.parametrize(
    "path", [ROOT / "rules.yaml", Path(__file__).parent / "good.yaml"], ids=["starter", "every feature"]
)
def test_a_good_file_has_no_underlines(path: Path) -> None:
    VALIDATOR.validate(loaded(path.read_text(encoding="utf-8")))


@settings(max_examples=60)
@given(rules_files())
def test_whatever_the_parser_accepts_the_schema_accepts(text: str) -> None:
    parse(text)
    VALIDATOR.validate(loaded(text))


@pytest.mark.parametrize(
    "name",
    [
        "unknown_key_at_top",
        "unknown_key_in_rule",
        "unknown_key_in_access",
        "money_without_unit",
        "money_for_minutes",
        "step_without_unit",
        "percent_without_sign",
        "percent_not_in_a_list",
        "multiple_without_x",
        "duration_without_unit",
        "metric_misspelt",
        "threshold_and_above_usual",
        "below_without_by",
        "escalate_without_channel",
        "forecast_in_words",
        "name_missing",
        "rules_missing",
        "channel_unquoted",
        "schedule_with_four_fields",
        "expected_incomplete",
        "expected_day_in_words",
        "expected_unknown_key",
    ],
)
def test_an_editor_underlines_the_common_mistakes(name: str) -> None:
    assert not VALIDATOR.is_valid(loaded((BAD_FILES / f"{name}.yaml").read_text(encoding="utf-8")))


def keys_within(part: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that some object of the schema defines, with its schema."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "properties" and "additionalProperties" in part:
                yield from value.items()
            yield from keys_within(value)
    elif isinstance(part, list):
        for item in part:
            yield from keys_within(item)


def test_every_key_has_help_for_editors() -> None:
    keys = dict(keys_within(schema.json_schema()))
    assert {"channel", "rules", "per", "threshold", "above_usual", "by", "after", "schedule", "editors"} <= keys.keys()
    assert [key for key, value in keys.items() if "description" not in value] == []


def test_no_key_may_be_left_without_a_value() -> None:
    assert '"null"' not in schema.schema_text()
