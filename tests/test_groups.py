"""Whether pytest-xdist knows groups. Where it forgets them nothing fails, but the browser tests all run at once."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("example")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    grouped = request.node.nodeid.endswith("@example")
    assert grouped or "PYTEST_XDIST_WORKER" not in os.environ, "several test processes need --dist loadgroup"  # noqa: TID251 what pytest-xdist says
