"""What the short form shares: a fork server, and the world just before each crossing."""

from __future__ import annotations

import os

import pytest

from tests.crash.bots import Bots
from tests.crash.preparations import Preparations
from tests.forks import ForkServer


@pytest.fixture(scope="session")
def bots(forks: ForkServer) -> Bots:
    return Bots(forks)


@pytest.fixture(scope="session")
def preparations(bots: Bots, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Preparations:
    folder = tmp_path_factory.mktemp("crash")
    several = "PYTEST_XDIST_WORKER" in os.environ  # noqa: TID251 an option of this test run
    shared = tmp_path_factory.getbasetemp().parent if several else folder
    return Preparations(folder, shared, bots, lambda: request.getfixturevalue("postgres"))
