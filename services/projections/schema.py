"""Making the schemas of the read models: `views` is served, the others are workshops."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, LiteralString

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from services.projections.catalogue import MODELS, ReadModel
from services.projections.shards import SHARDS
from shared.runtime.migrations import SERVICE_ROLE

PROJECTION: Final = "views"
"""All read models are told in one pass, so they share their positions under this name."""
LIVE: Final = "views"
Workshop = Literal["views_next", "views_check"]
"""Where a rebuild makes the next version; where `verify` makes what it compares with."""

_CONTROL: Final = Path(__file__).parent / "control"


def create_views(owner: Connection[Any], *, shards: int = SHARDS) -> None:
    """Makes what is missing of the schemas, in the service role's name; safe to repeat.

    A read model whose definition has changed is left as it is: the worker makes it anew
    beside the one that is served, and exchanges them.
    """
    role = _owning_role(owner)
    schemas: tuple[LiteralString, ...] = (LIVE, "views_next", "views_check")
    for schema in schemas:
        statement = SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}")
        owner.execute(statement.format(Identifier(schema), role))
    owner.execute(SQL("SET LOCAL ROLE {}").format(role))
    owner.execute(in_schema(LIVE))
    made = owner.execute("SELECT to_regclass('meta')").fetchone()
    if made is None or made[0] is None:
        owner.execute(control_statements())
        owner.execute("INSERT INTO meta (shards) VALUES (%s)", [shards])
        for shard in range(shards):
            owner.execute("INSERT INTO positions (projection, shard) VALUES (%s, %s)", [PROJECTION, shard])
        for statements in model_statements(MODELS.values(), "tables", "indexes"):
            owner.execute(statements)
        for model in MODELS.values():
            owner.execute("INSERT INTO models VALUES (%s, %s)", [model.name, model.definition])
    owner.execute((_CONTROL / "parked_records.sql").read_bytes())
    if not outdated(owner.execute("SELECT name, definition FROM models").fetchall()):
        owner.execute(changes_statements())
    owner.execute("RESET ROLE; RESET search_path")


def outdated(stored: Iterable[tuple[str, str]]) -> list[ReadModel]:
    """The read models whose stored rows were made with another definition than the program's."""
    definitions = dict(stored)
    return [model for model in MODELS.values() if definitions.get(model.name) != model.definition]


def in_schema(schema: str) -> bytes:
    """Makes the schema the one that statements without a schema's name mean, for this transaction."""
    return f"SET LOCAL search_path = {schema}, pg_catalog".encode()


def control_statements() -> bytes:
    return (_CONTROL / "tables.sql").read_bytes()


def changes_statements() -> bytes:
    """Makes `changes` anew over the tables as they now are."""
    return b"DROP VIEW IF EXISTS changes;\n" + (_CONTROL / "changes.sql").read_bytes()


def model_statements(models: Iterable[ReadModel], *parts: Literal["tables", "indexes"]) -> Iterator[bytes]:
    chosen = list(models)
    return (model.statements(part) for part in parts for model in chosen)


def _owning_role(owner: Connection[Any]) -> Identifier:
    """The service role where there is one and the owner may act for it, else the owner itself."""
    exists = owner.execute("SELECT FROM pg_roles WHERE rolname = %s", [SERVICE_ROLE]).fetchone()
    role = Identifier(SERVICE_ROLE)
    # Whoever made a role may grant it, but since PostgreSQL 16 not act for it without that.
    for attempt in (
        ("SET LOCAL ROLE {}; RESET ROLE", "GRANT {} TO CURRENT_USER") if exists is not None else ()
    ):
        try:
            with owner.transaction():
                owner.execute(SQL(attempt).format(role))
            return role
        except psycopg.errors.InsufficientPrivilege:
            continue
    return Identifier(owner.info.user)
