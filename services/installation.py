"""What is done to an installation as a whole: preparing its database, starting over, finding a unit."""

import getpass
import os
import shutil
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from services.projections.schema import create_views
from shared.events.units import WHOLE
from shared.runtime.database import service_pool
from shared.runtime.migrations import migrate
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from shared.runtime.trees import Trees

_FILES: Final = "files"
_DEMO_PROGRESS: Final = "demo"
_NO_DEMO: Final = "no-demo"
"""Its presence means that no demo set is loaded unless the operator names one."""
_DEMO_BEGUN: Final = "demo-begun"
"""Names the sets that were wanted when the ledger was empty."""


_CONNECT_TIMEOUT_S: Final = 10


class InstallationUnfit(Exception):
    """What was asked can't be done with this installation; the message says why in one line."""


def prepare_database(settings: Settings) -> list[str]:
    """Migrates the database as its owner and makes the read models' schemas.

    Returns the migrations that were applied. Safe to repeat, also while the product serves.
    Raises: migrations.MigrationFailed; psycopg.OperationalError when the database isn't reached.
    """
    owner_url = settings.database_owner_url or settings.service_url
    login = _login(settings.service_url)
    return migrate(
        owner_url, service_login=None if login == _login(owner_url) else login, steps=[create_views]
    )


def reach_database(settings: Settings) -> None:
    """Tries the operator's database once. Raises: psycopg.OperationalError with the server's own reason."""
    psycopg.connect(settings.service_url, connect_timeout=_CONNECT_TIMEOUT_S).close()


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
    (settings.data_dir / _DEMO_BEGUN).unlink(missing_ok=True)
    for name in (_FILES, _DEMO_PROGRESS):
        shutil.rmtree(settings.data_dir / name, ignore_errors=True)


def demo_sets(settings: Settings) -> tuple[str, ...]:
    """The demo sets to load now: those wanted when the ledger was empty, until all are loaded.

    Raises: psycopg.Error; OSError.
    """
    if not settings.demo_chosen and (settings.data_dir / _NO_DEMO).exists():
        return ()
    begun = settings.data_dir / _DEMO_BEGUN
    if settings.demo and _ledger_empty(settings):
        begun.write_text("\n".join(settings.demo), encoding="utf-8")
        return settings.demo
    # A set that was cut off, or whose turn hadn't come, goes on; into other data none is mixed.
    wanted = begun.read_text(encoding="utf-8").split() if begun.exists() else []
    return tuple(name for name in settings.demo if name in wanted)


def _ledger_empty(settings: Settings) -> bool:
    with psycopg.connect(settings.service_url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        # The rules that the first start adopts are no data.
        found = connection.execute("SELECT FROM ledger.events WHERE stream_id <> %s LIMIT 1", [WHOLE])
        return found.fetchone() is None


def signing_secret(secrets: Secrets) -> bytes:
    """What this product signs tokens with. Raises: InstallationUnfit when somebody else does."""
    if secrets.jwt_secret is None:
        raise InstallationUnfit("tokens come from whoever keeps the keys at ANJIE_JWKS_URL")
    return secrets.jwt_secret


async def unit_called(settings: Settings, name: str) -> UUID:
    """The open unit of this name. Raises: InstallationUnfit when there is none or more than one."""
    async with service_pool(settings.service_url, name="units", connections_max=1) as pool:
        trees = Trees(pool)
        await trees.refresh()
    found = [unit for unit in trees.current if unit.name == name and not unit.closed]
    if not found:
        raise InstallationUnfit(f"no unit is called {name}")
    if len(found) > 1:
        ids = ", ".join(str(unit.unit_id) for unit in found)
        raise InstallationUnfit(f"several units are called {name}; give an id: {ids}")
    return found[0].unit_id
