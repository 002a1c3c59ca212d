"""What the short form shares: a nursery, and the world just before each crossing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.crash.fork_server import Nursery
from tests.crash.preparations import Preparations


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def preparations(
    nursery: Nursery, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Preparations:
    folder = tmp_path_factory.mktemp("crash")
    several = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent if several else folder
    return Preparations(folder, shared, nursery, lambda: request.getfixturevalue("postgres"))
