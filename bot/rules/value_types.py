"""The types of a rules file's values: how pydantic reads each (`bot.rules.values`), and how an editor checks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from bot.model import Metric, Period
from bot.rules import values

Schema = dict[str, Any]

Earlier = Mapping[str, Any]
"""The values read so far from the same entry, by field; those that are mistakes are left out."""

Metrics = Mapping[str, Metric]
"""What each rule of the file with a threshold measures, by the rule's name."""


@dataclass(frozen=True, eq=False)
class ReadBy:
    """Annotates a type: `read` makes its value of what the file says, `schema` tells editors what may be written."""

    read: Callable[[object], object]
    schema: Schema | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) if self.schema is None else dict(self.schema)


@dataclass(frozen=True, eq=False)
class ReadInContext:
    """As `Written`, for a value whose meaning depends on those read before it from the same entry, and on `Metrics`."""

    read: Callable[[object, Earlier, Metrics], object]
    schema: Schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object, info: ValidationInfo) -> object:
            return self.read(value, info.data, info.context or {})

        return core_schema.with_info_before_validator_function(read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.schema)


@dataclass(frozen=True, eq=False)
class AtMost:
    """Annotates the list under this key: more entries than it may have are one mistake, whatever they are."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(partial(values.at_most, self.key), handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "maxItems": values.MOST_ENTRIES[self.key]}


def _text(pattern: str, *examples: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$", "examples": list(examples)}


def _words(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


_NUMBER: Final = r"[0-9][0-9,]*(?:\.[0-9]+)?"
_ID: Final = "[A-Z0-9]{2,20}"

MONEY: Final = _text(rf"\$\s?{_NUMBER}|{_NUMBER}\s?(?:cents?|¢)", "$50", "5000 cents")
COUNT: Final[Schema] = {
    "anyOf": [{"type": "number", "exclusiveMinimum": 0}, _text(rf"{_NUMBER}(?:\s?(?:calls?|minutes?))?", "120 minutes")]
}

_LABEL: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 80}
_DAY: Final = _text("[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-12-01")
_AMOUNT: Final[Schema] = {"anyOf": [MONEY, *COUNT["anyOf"]]}

Name = Annotated[str, ReadBy(values.name, _LABEL)]
Why = Annotated[str, ReadBy(values.why, _LABEL)]
Channel = Annotated[str, ReadBy(values.channel, _text(rf"#\S+|[CDGUW]{_ID}", "#voice-spend", "C0123456789"))]
_MENTION: Final = _text(
    rf"@(?:here|channel|everyone)|(?:<@|@)?[UW]{_ID}>?|(?:<!subteam\^|@)?S{_ID}>?", "@here", "U0123456789"
)
Mention = Annotated[str, ReadBy(values.mention, _MENTION)]
Mentions = Annotated[tuple[Mention, ...], AtMost("mention")]
Person = Annotated[str, ReadBy(values.person, _text(f"admins|[SUW]{_ID}", "admins", "S0123456789"))]
Editors = Annotated[tuple[Person, ...], AtMost("editors")]
_VIEWER: Final = _text(f"everyone|admins|[SUW]{_ID}", "everyone", "S0123456789")
Viewer = Annotated[str, ReadBy(values.viewer, _VIEWER)]
Viewers = Annotated[
    tuple[Viewer, ...],
    AtMost("viewers"),
    ReadBy(
        values.viewers,
        {
            "anyOf": [
                {"const": "everyone"},
                {"type": "array", "items": _VIEWER, "maxItems": values.MOST_ENTRIES["viewers"]},
            ]
        },
    ),
]
Link = Annotated[str, ReadBy(values.link, {"type": "string", "pattern": "^https?://"})]
Timezone = Annotated[str, ReadBy(values.timezone, {"type": "string", "examples": ["Europe/Berlin", "UTC"]})]
Schedule = Annotated[str, ReadBy(values.schedule, _text(r"\s*\S+(?:\s+\S+){4}\s*", "0 9 * * 1"))]
ReportPeriod = Annotated[
    str,
    ReadBy(
        values.report_period,
        {
            "type": "string",
            "anyOf": [
                _words("today", "yesterday", "week", "last week", "month", "last month"),
                _text(r"\s*(?:[Tt]oday|[Yy]esterday|(?:[Ll]ast\s+)?(?:[Ww]eek|[Mm]onth|[0-9]+\s*d(?:ays?)?))\s*", "7d"),
            ],
        },
    ),
]
TimeOfDay = Annotated[time, ReadBy(values.time_of_day, _text("[0-9]{1,2}:[0-9]{2}", "12:00"))]
Day = Annotated[date, ReadBy(values.day, _DAY)]
LastDay = Annotated[
    date, ReadInContext(lambda value, earlier, _: values.last_day(value, earlier.get("first")), schema=_DAY)
]
Duration = Annotated[timedelta, ReadBy(values.duration, _text(r"(?:[0-9]+[dhms]\s?)+", "30m", "4h", "1d"))]
Reminder = Annotated[timedelta, ReadBy(values.reminder, _text(r"(?:[0-9]+[dhms]\s?)+", "4h", "1d"))]
Percent = Annotated[Decimal, ReadBy(values.percent, _text(r"[0-9]+(?:\.[0-9]+)?\s?%", "80%", "100%"))]
Levels = Annotated[tuple[Percent, ...], AfterValidator(values.rising), AtMost("alert_at")]
Multiple = Annotated[Decimal, ReadBy(values.multiple, _text(r"[0-9]+(?:\.[0-9]+)?\s?[xX\u00d7]", "2x", "1.5x"))]
Amount = Annotated[
    Decimal,
    ReadInContext(lambda value, earlier, _: values.amount_of_metric(value, earlier.get("metric")), schema=_AMOUNT),
]
RaisedAmount = Annotated[
    Decimal,
    ReadInContext(
        lambda value, earlier, metrics: values.amount_of_metric(value, metrics.get(earlier.get("rule", ""))),
        schema=_AMOUNT,
    ),
]
Calls = Annotated[int, ReadBy(values.count_of_calls, COUNT)]
Switch = Annotated[bool, ReadBy(values.switch, {"type": "boolean"})]
AnyMetric = Annotated[Metric, ReadBy(values.metric, _words(*Metric))]
SummedMetric = Annotated[
    Literal[Metric.COST, Metric.MINUTES, Metric.CALLS],
    ReadBy(values.summed_metric, _words(Metric.COST, Metric.MINUTES, Metric.CALLS)),
]
AnyPeriod = Annotated[Period, ReadBy(values.period, _words(*Period))]
DayOnly = Annotated[Literal[Period.DAY], ReadBy(values.day_only, _words(Period.DAY))]
