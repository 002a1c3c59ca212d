"""A migrated database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database, open_database
from bot.store.migrate import migrate


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url)
    await migrate(database)
    yield database
    await database.close()
