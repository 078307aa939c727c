"""Files over HTTP: sealed on the disk, read as their cases may be read."""

import os
from pathlib import Path

import httpx

from tests.e2e.conftest import Anjie, Json, Person, Town


def upload(person: Person, content: bytes, *, key: str, media_type: str = "image/png") -> httpx.Response:
    headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": key}
    return person.http.post("/v1/files", files={"file": ("身份证.png", content, media_type)}, headers=headers)


def stored(anjie: Anjie) -> list[Path]:
    return [path for path in (anjie.data_dir / "files").rglob("*") if path.is_file()]


def test_a_file_is_sealed_and_read_by_those_who_see_its_case_in_the_clear(anjie: Anjie, town: Town) -> None:
    content = "张三的身份证".encode() * 1000
    answer = upload(town.leader, content, key="scan")
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    assert (told["size"], told["media_type"], len(told["digest"])) == (len(content), "image/png", 64)
    assert "张三".encode() not in b"".join(path.read_bytes() for path in stored(anjie))
    assert upload(town.leader, content, key="scan").json() == told, "the first answer again"
    assert upload(town.leader, content + b"!", key="scan").json()["type"] == "/problems/key-reused"

    path = f"/v1/files/{told['file_id']}"
    assert town.leader.get(path).content == content
    assert town.village_officer.get(path).status_code == 404, "nothing says yet what it is about"
    case_id = town.open_case()["case_id"]
    town.leader.done(
        f"/v1/cases/{case_id}/attach-document",
        {"document_kind": "IDENTITY_PROOF", "file_id": told["file_id"]},
    )
    colleague = town.mediator
    handler = anjie.person("leader-37b", "group_leader", town.group)
    read = handler.get(path)
    assert (read.status_code, read.content) == (200, content)
    assert read.headers["content-type"] == "image/png"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert colleague.get(path).status_code == 403, "masked readers of the case don't see it"
    assert town.supervisor.get(path).status_code == 403
    assert town.other_leader.get(path).status_code == 403


def test_evidence_is_read_like_a_document(anjie: Anjie, town: Town) -> None:
    evidence = [upload(town.leader, os.urandom(50), key=f"e{n}").json()["file_id"] for n in range(2)]
    case_id = town.open_case()["case_id"]
    path = f"/v1/cases/{case_id}"
    town.leader.done(f"{path}/accept-case", version=1)
    town.leader.done(f"{path}/assign-handler", {"handler_ref": "leader-37"}, version=3)
    outcome = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "x", "evidence": evidence}
    town.leader.done(f"{path}/resolve-case", outcome, version=4)
    handler = anjie.person("leader-37b", "group_leader", town.group)
    assert [handler.get(f"/v1/files/{file_id}").status_code for file_id in evidence] == [200, 200]


def test_uploads_that_are_none_are_refused(anjie: Anjie, town: Town) -> None:
    headers = {"Authorization": f"Bearer {town.leader.token}", "Idempotency-Key": "x"}
    post = town.leader.http.post
    assert post("/v1/files", json={}, headers=headers).status_code == 400
    assert post("/v1/files", files={"picture": b"x"}, headers=headers).status_code == 422
    too_large = upload(town.leader, b"x" * ((15 << 20) + 1), key="large")
    assert (too_large.status_code, too_large.json()["limit"]) == (413, 15 << 20)
    assert upload(town.resident, b"x", key="mine").status_code == 403
    assert stored(anjie) == []
    assert upload(town.leader, b"x" * (15 << 20), key="just right").status_code == 201
    unknown = town.leader.post(
        f"/v1/cases/{town.open_case()['case_id']}/attach-document",
        {"document_kind": "OTHER", "file_id": town.group},
    )
    assert (unknown.status_code, unknown.json()["rule"]) == (422, "file-unknown")
