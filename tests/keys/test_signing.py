"""Keys on disk."""

import stat
from pathlib import Path

import pytest

from farhand.errors import ConfigError
from farhand.keys import signing


def test_a_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "key.pem"
    made, loaded = signing.load_key(file), signing.load_key(file)
    assert (made.id, made.public) == (loaded.id, loaded.public)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_id_of_a_key_follows_from_its_public_part() -> None:
    key = signing.new_key()
    assert signing.key_id(key.public) == key.id


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_a_config_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="Remove it"):
        signing.load_key(file)


def test_a_folder_that_cannot_be_used_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        signing.load_key(tmp_path / "file" / "key.pem")


@pytest.mark.parametrize("public", ["", "x", "A" * 42, "A" * 44])
def test_what_is_no_key_has_no_id(public: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        signing.key_id(public)
