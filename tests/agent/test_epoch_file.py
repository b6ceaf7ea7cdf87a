"""The epoch on disk."""

from pathlib import Path

import pytest

from farhand.agent.epoch_file import EpochFile
from farhand.errors import ConfigError
from farhand.protocol.ids import Epoch


def test_a_new_robot_begins_at_zero_and_the_epoch_survives(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    assert EpochFile(folder).newest == 0
    EpochFile(folder).store(Epoch(41))
    assert EpochFile(folder).newest == 41


@pytest.mark.parametrize("content", ["forty", "", "-1", "4294967295", "\xff"])
def test_a_broken_file_is_never_guessed_at(tmp_path: Path, content: str) -> None:
    (tmp_path / "epoch").write_text(content, "latin-1")
    with pytest.raises(ConfigError, match="FH-1001"):
        EpochFile(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state"):
        EpochFile(tmp_path / "file" / "state")
