"""What is done to an installation as a whole: preparing its database, starting over, finding a unit."""

import getpass
import os
import shutil
from typing import Final
from uuid import UUID

from psycopg.conninfo import conninfo_to_dict

from services.projections.schema import create_views
from shared.runtime.database import service_pool
from shared.runtime.migrations import migrate
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.settings import Settings
from shared.runtime.trees import Trees

_FILES: Final = "files"
_NO_DEMO: Final = "no-demo"
"""Its presence means that no demo set is loaded unless the operator names one."""


class InstallationUnfit(Exception):
    """What was asked can't be done with this installation; the message says why in one line."""


def prepare_database(settings: Settings) -> list[str]:
    """Migrates the database as its owner and makes the read models' schemas.

    Returns the migrations that were applied. Safe to repeat, also while the product serves.
    Raises: migrations.MigrationFailed; psycopg.OperationalError when the database isn't reached.
    """
    assert settings.database_url is not None
    owner_url = settings.database_owner_url or settings.database_url
    login = _login(settings.database_url)
    return migrate(
        owner_url, service_login=None if login == _login(owner_url) else login, steps=[create_views]
    )


def _login(url: str) -> str:
    """Who logs in with a connection URL, which may leave it to libpq's own default."""
    return str(conninfo_to_dict(url).get("user") or os.environ.get("PGUSER") or getpass.getuser())


def start_over(settings: Settings) -> None:
    """Removes the embedded ledger and everything derived from it; from now on no demo is loaded.

    The caller holds the data directory. Secrets stay, and tokens with them.
    """
    # First, so that a start that is cut off here never fills the ledger anew.
    (settings.data_dir / _NO_DEMO).touch()
    EmbeddedPostgres(settings.data_dir).remove()
    shutil.rmtree(settings.data_dir / _FILES, ignore_errors=True)


def demo_sets(settings: Settings) -> tuple[str, ...]:
    """The demo sets to load into the ledger as long as nothing else stands in it."""
    if not settings.demo_chosen and (settings.data_dir / _NO_DEMO).exists():
        return ()
    return settings.demo


async def unit_called(settings: Settings, name: str) -> UUID:
    """The open unit of this name. Raises: InstallationUnfit when there is none or more than one."""
    assert settings.database_url is not None
    async with service_pool(settings.database_url, name="units", connections_max=1) as pool:
        trees = Trees(pool)
        await trees.refresh()
    found = [unit for unit in trees.current if unit.name == name and not unit.closed]
    if not found:
        raise InstallationUnfit(f"no unit is called {name}")
    if len(found) > 1:
        ids = ", ".join(str(unit.unit_id) for unit in found)
        raise InstallationUnfit(f"several units are called {name}; give an id: {ids}")
    return found[0].unit_id
