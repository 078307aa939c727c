"""`anjie import`: a file of old paper becomes events under one import, and a second time nothing."""

from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from services.importing import import_file
from services.installation import InstallationUnfit
from services.terminal import CommandFailed
from shared.runtime.settings import Settings
from tests.e2e.conftest import JWT_SECRET, Anjie, Town

CASE = "01890a5d-ac96-774b-bcce-b302099a8057"


def settings_of(anjie: Anjie) -> Settings:
    port = int(anjie.base_url.rsplit(":", 1)[1])
    return Settings(port=port, data_dir=anjie.data_dir, jwt_secret=JWT_SECRET.decode())


def line(town: Town, key: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    actor = {"sub": "leader-37", "role": "group_leader", "unit": town.group}
    headers = {"Idempotency-Key": key, "If-Match": "*"}
    return {"method": "POST", "path": path, "headers": headers, "body": body, "actor": actor}


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"\n\n".join(msgspec.json.encode(line) for line in lines))
    return path


def recorded(anjie: Anjie) -> list[tuple[str, str | None, str | None]]:
    with psycopg.connect(anjie.database.url) as connection:
        columns = "topic, import_id::text, imported_by"
        query = f"SELECT {columns} FROM ledger.events WHERE stream_id = %s ORDER BY version".encode()
        return connection.execute(query, [CASE]).fetchall()


def test_lines_of_any_age_are_stored_once_in_the_names_of_those_who_acted(
    anjie: Anjie, town: Town, tmp_path: Path
) -> None:
    opening = town.opening(case_id=CASE, occurred_at="2013-05-02T09:00:00+08:00")
    accepting = {"occurred_at": "2013-05-03T09:00:00+08:00"}
    nonsense = {"reason": "…", "colour": "red"}
    path = written(
        tmp_path / "paper.ndjson",
        [
            line(town, "paper 1", "/v1/cases", opening),
            line(town, "paper 2", f"/v1/cases/{CASE}/accept-case", accepting),
            line(town, "paper 3", f"/v1/cases/{CASE}/reject-case", nonsense),
        ],
    )
    report = import_file(settings_of(anjie), path, None, "old paper")
    assert report.stored == 2
    assert [(refused.line, refused.reason[:3]) for refused in report.refused] == [(5, "422")]
    expected = ["case.registered", "case.accepted"]
    events = recorded(anjie)
    assert [topic for topic, _, _ in events if topic in expected] == expected
    assert {(import_id, by) for _, import_id, by in events} == {(str(report.import_id), "import")}
    again = import_file(settings_of(anjie), path, "余东镇", "old paper")
    assert (again.import_id, again.stored) == (report.import_id, 2)
    assert recorded(anjie) == events


def test_refused_lines_can_be_mended_and_sent_again(anjie: Anjie, town: Town, tmp_path: Path) -> None:
    opening = town.opening(case_id=CASE, occurred_at="2013-05-02T09:00:00+08:00")
    late = {"occurred_at": "2013-05-03T09:00:00+08:00"}
    path = written(
        tmp_path / "paper.ndjson",
        [line(town, "a", f"/v1/cases/{CASE}/accept-case", late)],
    )
    assert [refused.line for refused in import_file(settings_of(anjie), path, None, "paper").refused] == [1]
    # Somebody enters what was missing.
    before = written(tmp_path / "before.ndjson", [line(town, "b", "/v1/cases", opening)])
    assert import_file(settings_of(anjie), before, None, "paper").refused == []
    mended = import_file(settings_of(anjie), path, None, "paper")
    assert (mended.stored, mended.refused) == (1, [])


def test_the_unit_has_to_be_clear(anjie: Anjie, town: Town, tmp_path: Path) -> None:
    path = written(tmp_path / "paper.ndjson", [])
    with pytest.raises(InstallationUnfit, match="no units are called 北镇"):
        import_file(settings_of(anjie), path, "北镇", "old paper")
    assert import_file(settings_of(anjie), path, town.township, "old paper").stored == 0


def test_a_refused_import_is_said_to_be(anjie: Anjie, tmp_path: Path) -> None:
    path = written(tmp_path / "paper.ndjson", [])
    with pytest.raises(CommandFailed, match=r"POST /v1/imports was refused: 4\d\d"):
        import_file(settings_of(anjie), path, CASE, "old paper")
