"""JSON Schema of rules.yaml, for editors that complete and underline while typing.

It is checked in as `rules.schema.json`; after a change of the models, write `schema_text()` there again.
"""

from __future__ import annotations

import json
from typing import Any

from bot.model import Metric
from bot.rules import value_types
from bot.rules.models import KINDS, Rules


def json_schema() -> dict[str, Any]:
    """The schema of a whole file, made from the models. `bot.rules.parse` is stricter: it has the last word."""
    from pydantic import TypeAdapter

    schema: dict[str, Any] = _tidied(TypeAdapter(Rules).json_schema())
    kinds = schema["$defs"]
    for kind in KINDS:
        kinds[kind.__name__] |= _amounts_by_metric(*kind.amounts)
    kind_list = schema["properties"]["rules"]["items"]
    kind_list["anyOf"] = kind_list.pop("oneOf")
    return {"$schema": "http://json-schema.org/draft-07/schema#"} | schema


def schema_text() -> str:
    """The schema as it is checked in."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _amounts_by_metric(*keys: str) -> dict[str, Any]:
    """Amounts are money unless the metric is one that is counted."""
    counted = {"properties": {"metric": {"enum": [metric.value for metric in Metric if not metric.is_money]}}}
    return {
        "if": counted | {"required": ["metric"]},
        "then": {"properties": dict.fromkeys(keys, value_types.COUNT)},
        "else": {"properties": dict.fromkeys(keys, value_types.MONEY)},
    }


def _tidied(part: Any) -> Any:
    """Without nulls (a key without a value is a mistake), defaults (the descriptions tell them) and made-up titles."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _tidied(value) for key, value in part.items() if key not in ("default", "title")}
    if "anyOf" not in kept:
        return kept
    choices = [choice for choice in kept.pop("anyOf") if choice != {"type": "null"}]
    return (choices[0] if len(choices) == 1 else {"anyOf": choices}) | kept
