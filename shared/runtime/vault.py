"""The vault: the wrapped keys of sealed values, and their opening for those who may see them."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from shared.events.base import Private
from shared.runtime.database import Pool
from shared.runtime.sealing import MasterKey, SealBroken, open_value

_KEYS: Final = "SELECT key_id, wrapped FROM vault.keys WHERE key_id = ANY(%s)"
_ANY_KEY: Final = "SELECT key_id, wrapped FROM vault.keys LIMIT 1"


class MasterKeyWrong(Exception):
    """The master key doesn't open the keys that are stored."""


class Vault:
    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self.master = master

    async def keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys of these ids, in one query; destroyed ones are left out. Raises SealBroken."""
        wanted = list(set(key_ids))
        if not wanted:
            return {}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_KEYS, (wanted,), prepare=True)).fetchall()
        return {key_id: self.master.unwrap(key_id, wrapped) for key_id, wrapped in rows}

    async def open_many(self, values: Iterable[Private]) -> dict[Private, str | None]:
        """The clear texts of sealed values; None for one whose key was destroyed. Raises SealBroken."""
        values = list(values)
        keys = await self.keys(value.key for value in values if value.key is not None)
        return {
            value: None if value.key not in keys else open_value(value, keys[value.key]) for value in values
        }

    async def check_master_key(self) -> None:
        """Raises: MasterKeyWrong when keys are stored that this master key doesn't open."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_ANY_KEY)).fetchone()
        if row is None:
            return
        try:
            self.master.unwrap(*row)
        except SealBroken:
            raise MasterKeyWrong("the master key does not open the keys stored in this database") from None
