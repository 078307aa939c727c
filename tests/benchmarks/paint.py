"""The first useful paint of each screen, in a real browser whose processor is held back."""

import sys
from statistics import median
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import httpx
import msgspec

from infra.programs import ProgramUnavailable
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from tests.benchmarks.command_server import JWT_SECRET
from tests.benchmarks.http_load import life_of_a_case
from tests.benchmarks.pages import Opened, opened
from tests.benchmarks.table import BenchRow

GOAL_MS: Final = 1_000.0
THROTTLED: Final = 4
"""How many times slower the processor seems to be. Source: what browsers' tools call a mid-range phone."""
LOADS: Final = 5
CASES: Final = 60
_USEFUL: Final = """
(selector) => {
  const look = () => {
    const found = [...document.querySelectorAll(selector)].some((e) => /[^\\s—–-]/.test(e.textContent));
    if (!found) return requestAnimationFrame(look);
    setTimeout(() => (window.usefulAt = performance.now()));
  };
  requestAnimationFrame(look);
}
"""
"""From a frame in which what was sought has its words, until that frame is on the screen."""


class Screen(NamedTuple):
    name: str
    path: str
    useful: str
    """What somebody comes for: it must be there in words."""
    role: Role
    level: int
    """Of the reader's unit, from the township down."""
    width: int
    height: int


def screens(case_id: str) -> tuple[Screen, ...]:
    return (
        Screen("phone: my cases", "/m", "main .lines li", "group_leader", 2, 360, 740),
        Screen("phone: a case", f"/m/cases/{case_id}", "main .act summary", "group_leader", 2, 360, 740),
        Screen("audit: a case", f"/audit/cases/{case_id}", ".timeline li", "supervisor", 1, 1_400, 900),
        Screen("wall", "/wall", "#backlog", "village_officer", 1, 1_920, 1_080),
    )


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """None where there is no browser, which is said."""
    try:
        async with opened(owner_url) as before:
            case_id = await _cases(before.port, before.units[-1])
            return [await _painted(before, screen) for screen in screens(case_id)]
    except ProgramUnavailable as error:
        print(f"paint: {error}", file=sys.stderr)
        return []


async def _cases(port: int, group: UUID) -> str:
    """Opens as many as a leader has in hand, and answers one of them when the lists know them all."""
    token = issue_token(JWT_SECRET, sub="leader-37", role="group_leader", unit=group)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        for _ in range(CASES):
            path, _, body = next(life_of_a_case(str(group), "leader-37"))
            sent = {"json": msgspec.json.decode(body), "headers": {"Idempotency-Key": uuid4().hex}}
            opened = (await client.post(path, **sent)).raise_for_status().json()
        reached = await client.get("/v1/me/cases", params={"min_position": opened["position"]})
        reached.raise_for_status()
    return str(opened["case_id"])


async def _painted(before: Opened, screen: Screen) -> BenchRow:
    """The slowest of some loads, each with nothing kept from the one before."""
    taken = []
    for _ in range(LOADS):
        context = await before.context(
            "leader-37", screen.role, screen.level, width=screen.width, height=screen.height
        )
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLED})
        await page.add_init_script(f"({_USEFUL})({msgspec.json.encode(screen.useful).decode()})")
        await page.goto(screen.path, wait_until="commit")
        useful = await page.wait_for_function("() => window.usefulAt")
        taken.append(float(await useful.json_value()))
        await context.close()
    return BenchRow(
        name=f"first useful paint, {THROTTLED}x slower CPU, {screen.name} (median {median(taken):.0f} ms)",
        ours=max(taken),
        unit="ms",
        goal=GOAL_MS,
        at_most=True,
    )
