"""Coverage-guided fuzzing: `make fuzz TARGET=http_mode SECONDS=1200`. A target is a module beside this one with `SEEDS`
and `target()`, an async context manager of a function that takes bytes and raises where something is wrong with the
bot.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path

import atheris

from tests.fuzz.finding import judged

INSTRUMENTED = ["bot", "aiohttp", "slack_bolt", "slack_sdk", "pydantic", "json", "urllib"]
KEPT = Path(".fuzz")  # the corpus, from one run to the next, and what was found


def main(name: str, options: list[str]) -> None:
    """Fuzz until something is found, or libFuzzer's own options end it."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        module = importlib.import_module(f"tests.fuzz.{name}")
    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(module.SEEDS):
        (corpus / f"seed-{place}").write_bytes(seed)
    with asyncio.Runner() as runner:
        opened = module.target()
        tried = runner.run(opened.__aenter__())
        atheris.Setup(
            [name, str(corpus), f"-artifact_prefix={KEPT}/{name}-", *options],
            lambda given: runner.run(judged(tried, given)),
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
