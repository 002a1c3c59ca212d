"""A migrated database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database, open_database


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    database = open_database(migrated_url)
    yield database
    await database.close()
