"""What the short form shares: a fork server, and the world just before each crossing."""

from __future__ import annotations

import os

import pytest

from tests.crash.fork_server import ForkServer
from tests.crash.preparations import Preparations
from tests.forks import ForkServer


@pytest.fixture(scope="session")
def fork_server(forks: ForkServer) -> ForkServer:
    return ForkServer(forks)


@pytest.fixture(scope="session")
def preparations(
    fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Preparations:
    folder = tmp_path_factory.mktemp("crash")
    several = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent if several else folder
    return Preparations(folder, shared, fork_server, lambda: request.getfixturevalue("postgres"))
