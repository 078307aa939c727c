"""Connections of the services to their database."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]

_WAIT_S: Final = 5.0
_STATEMENT_TIMEOUT_MS: Final = 30_000


def service_pool(url: str, *, name: str, connections_max: int) -> Pool:
    """A pool, not yet open, of autocommitting connections; whoever opens it closes it.

    A statement may take 30 s; waiting for a free connection 5 s, then psycopg_pool.PoolTimeout.
    Connections that died with a database since restarted are replaced before anybody is given them.
    """
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=connections_max,
        open=False,
        name=name,
        timeout=_WAIT_S,
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=_WAIT_S,
        kwargs={
            "autocommit": True,
            "application_name": f"anjie {name}",
            "connect_timeout": int(_WAIT_S),
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        },
    )
