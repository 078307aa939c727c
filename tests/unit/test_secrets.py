"""Secrets: made once, kept to their owner, taken from the environment in two spellings."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.runtime.secrets import SecretsInvalid, read_secrets
from shared.runtime.settings import Settings

KEY = bytes(range(32))


def test_they_are_made_once_by_however_many_starts(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: read_secrets(settings), range(16)))
    assert len(set(made)) == 1
    assert len(made[0].master_key) == 32
    assert made[0].jwt_secret is not None
    assert len(made[0].jwt_secret) >= 32
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.data_dir.iterdir()}
    assert files == {"master.key": 0o600, "jwt.secret": 0o600}


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode().rstrip("="),
    ],
)
def test_a_master_key_is_read_in_base64_and_in_hexadecimal(tmp_path: Path, text: str) -> None:
    assert read_secrets(Settings(data_dir=tmp_path, master_key=text)).master_key == KEY
    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize(
    "text", ["canary", KEY.hex()[:-2], base64.b64encode(KEY[:-1]).decode(), "密" * 44, "z" * 64]
)
def test_any_other_master_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(SecretsInvalid, match="ANJIE_MASTER_KEY: expected 32 bytes") as refusal:
        read_secrets(Settings(data_dir=tmp_path, master_key=text))
    assert text not in str(refusal.value)


def test_the_secret_of_the_environment_counts_as_its_utf8_bytes(tmp_path: Path) -> None:
    secrets = read_secrets(Settings(data_dir=tmp_path, jwt_secret="钥匙"))
    assert secrets.jwt_secret == "钥匙".encode()
    assert not (tmp_path / "jwt.secret").exists()


def test_with_keys_at_an_address_no_secret_is_made(tmp_path: Path) -> None:
    secrets = read_secrets(Settings(data_dir=tmp_path, jwks_url="https://login.example/keys"))
    assert secrets.jwt_secret is None
    assert not (tmp_path / "jwt.secret").exists()


def test_an_empty_key_file_is_an_error_and_not_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "master.key").touch()
    with pytest.raises(SecretsInvalid, match="is empty"):
        read_secrets(Settings(data_dir=tmp_path))


def test_they_are_never_shown(tmp_path: Path) -> None:
    secrets = read_secrets(Settings(data_dir=tmp_path, jwt_secret="canary"))
    assert "canary" not in repr(secrets)
    assert repr(secrets.master_key) not in repr(secrets)
