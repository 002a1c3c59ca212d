"""Ever simpler forms of a message, for a Slack that refuses its blocks: one that it does not take
refuses them all (https://docs.slack.dev/reference/methods/chat.postMessage, invalid_blocks). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def simpler_blocks(blocks: tuple[Mapping[str, object], ...]) -> Iterator[list[Mapping[str, object]]]:
    """The message's blocks, then ever simpler ones: no charts, no tables, sections only, at last the text alone."""
    yield list(blocks)
    last = list(blocks)
    for dropped in ({"data_visualization"}, {"data_table", "table"}):
        simpler = [block for block in last if block["type"] not in dropped]
        if simpler != last:
            yield simpler
        last = simpler
    plain = [block for block in last if block["type"] in {"section", "actions"}]
    if plain and plain != last:
        yield plain
    if blocks:
        yield []
