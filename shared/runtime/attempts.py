"""Attempts to sign in: after some that failed each next one has to wait longer, in whichever process."""

import math
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from shared.runtime.database import Pool
from shared.runtime.problems import Problem, Text
from shared.runtime.sealing import MasterKey

FREE_FOR_LOGIN: Final = 5
"""So many may fail before anybody waits."""
FREE_FOR_ADDRESS: Final = 20
"""More than for a login, since a whole office may come from one address."""

_WAIT_MAX: Final = timedelta(minutes=15)
_REMEMBERED: Final = timedelta(days=1)
_IPV6_NETWORK_BITS: Final = 64
"""What one subscriber is given, who may choose any address in it."""

_CLEAN: Final = """
    DELETE FROM runtime.sign_in_attempts WHERE subject IN (
        SELECT subject FROM runtime.sign_in_attempts WHERE last_at < now() - %s FOR UPDATE SKIP LOCKED
    )
"""
# In one order everywhere, so that no two attempts wait for each other.
_HOLD: Final = """
    INSERT INTO runtime.sign_in_attempts AS known (subject, failures, last_at)
    SELECT subject, 0, clock_timestamp() FROM unnest(%s::bytea[]) AS subject ORDER BY subject
    ON CONFLICT (subject) DO UPDATE SET failures = known.failures
    RETURNING subject, failures, clock_timestamp() - last_at
"""
_COUNT: Final = """
    UPDATE runtime.sign_in_attempts SET failures = failures + 1, last_at = clock_timestamp()
    WHERE subject = ANY(%s)
"""
_FORGIVE_LOGIN: Final = "DELETE FROM runtime.sign_in_attempts WHERE subject = %s"
_FORGIVE_ADDRESS: Final = """
    UPDATE runtime.sign_in_attempts SET failures = greatest(failures - 1, 0) WHERE subject = %s
"""


def wait_after(failures: int, free: int) -> timedelta:
    """How long after the last of some failures in a row the next attempt may come: 1 s, 2 s, 4 s … 15 min."""
    if failures < free:
        return timedelta(0)
    doublings = min(failures - free, 20)
    return min(timedelta(seconds=2**doublings), _WAIT_MAX)


def client_address(peer: str, forwarded_for: str | None) -> str:
    """Where attempts come from: whoever is connected, or whom that forwards for if it is a proxy near us.

    A proxy on this machine or in a private network is taken for ours; what others say counts for nothing.
    """
    nearest = (forwarded_for or "").rpartition(",")[2].strip()
    try:
        return nearest if nearest and _plain(ip_address(peer)).is_private else peer
    except ValueError:
        return peer


class Attempt:
    """One attempt, which counts as failed until it has succeeded."""

    __slots__ = ("address", "login")

    def __init__(self, master: MasterKey, login: str, address: str) -> None:
        # PostgreSQL takes the capital İ for an i, Python for an i with a dot of its own.
        plain = login.casefold().replace("i\u0307", "i")
        self.login = master.sign_in_subject(f"login {plain}")
        self.address = master.sign_in_subject(f"address {_network(address)}")

    @property
    def free(self) -> Mapping[bytes, int]:
        return {self.login: FREE_FOR_LOGIN, self.address: FREE_FOR_ADDRESS}


class Attempts:
    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master

    async def begin(self, login: str, address: str) -> Attempt:
        """An attempt that may be made now. Raises: Problem 429, which isn't counted."""
        attempt = Attempt(self._master, login, address)
        subjects = list(attempt.free)
        async with self._pool.connection() as connection:
            await connection.execute(_CLEAN, (_REMEMBERED,))
            async with connection.transaction():
                # Counted before the password is looked at, so that many at once are many attempts.
                rows = await (await connection.execute(_HOLD, (subjects,))).fetchall()
                wait = max(
                    wait_after(failures, attempt.free[subject]) - age for subject, failures, age in rows
                )
                if wait > timedelta(0):
                    # Raised in here, so that nothing is kept of logins that are only made up.
                    raise _too_early(math.ceil(wait.total_seconds()))
                await connection.execute(_COUNT, (subjects,))
        return attempt

    async def succeeded(self, attempt: Attempt) -> None:
        """Forgets the failures of the login; those of the address stay, less this attempt."""
        async with self._pool.connection() as connection:
            await connection.execute(_FORGIVE_LOGIN, (attempt.login,))
            await connection.execute(_FORGIVE_ADDRESS, (attempt.address,))


def _too_early(seconds: int) -> Problem:
    detail = Text(
        f"too many attempts failed; the next one may be made in {seconds} s",
        f"失败次数过多，请在 {seconds} 秒后再试",
    )
    return Problem("sign-in-too-often", detail, headers={"Retry-After": str(seconds)})


def _network(address: str) -> str:
    try:
        parsed = _plain(ip_address(address))
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Itself, or the address in IPv4 that one in IPv6 stands for on a socket that takes both."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
