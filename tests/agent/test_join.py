"""`farhand agent join`, `leave`, `status`, and the robot that enrols when it starts."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from farhand.agent.enrolment import Asked
from farhand.agent.identity import read_enrolment
from farhand.cli import agent_join, agent_parts
from farhand.config import AgentSection
from farhand.errors import Code, ConfigError, NotAllowed
from farhand.keys.signing import key_id
from farhand.store.folder_lock import lock_folder
from tests.agent.enrolling import ENROLLED, SERVER, WAITING, Script, served


def facts(state: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    agent_join.status(state, json=True)
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_robot_joins_says_where_it_is_and_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facts(tmp_path, capsys)["enrolled"] is False
    with served(Script((201, ENROLLED))) as script:
        agent_join.join(script.url, "abcd-efgh", robot_id="rover", name="Rover", state=tmp_path)
    _, body = script.seen[0]
    assert (body["code"], body["name"]) == ("ABCD-EFGH", "Rover")
    assert body["architecture"]
    told = facts(tmp_path, capsys)
    assert told == {
        "enrolled": True,
        "robotId": "rover",
        "serviceId": "site-a",
        "server": script.url,
        "serverKeyId": key_id(SERVER.public),
        "keyId": told["keyId"],
    }
    agent_join.leave(tmp_path)
    left = facts(tmp_path, capsys)
    assert (left["enrolled"], left["keyId"]) == (False, told["keyId"])


def test_a_robot_whose_key_was_revoked_makes_itself_a_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(Script((201, ENROLLED), (201, ENROLLED))) as script:
        agent_join.join(script.url, "ABCD-EFGH", state=tmp_path)
        first = facts(tmp_path, capsys)["keyId"]
        agent_join.leave(tmp_path, forget_key=True)
        assert facts(tmp_path, capsys)["keyId"] is None
        agent_join.join(script.url, "ABCD-EFGH", state=tmp_path)
    assert facts(tmp_path, capsys)["keyId"] not in (None, first)


def test_an_enrolled_robot_does_not_join_again(tmp_path: Path) -> None:
    with served(Script((201, ENROLLED))) as script:
        agent_join.join(script.url, "ABCD-EFGH", state=tmp_path)
        with pytest.raises(ConfigError, match=Code.CONFLICT.value):
            agent_join.join(script.url, "ABCD-EFGH", state=tmp_path)
    assert len(script.seen) == 1


def test_nothing_is_kept_of_a_refusal(tmp_path: Path) -> None:
    used = (409, {"code": "FH-2107", "title": "Used."})
    with served(Script(used)) as script, pytest.raises(NotAllowed):
        agent_join.join(script.url, "ABCD-EFGH", state=tmp_path)
    assert read_enrolment(tmp_path) is None


def test_while_the_agent_runs_it_neither_joins_nor_leaves(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path, "agent")
    try:
        with pytest.raises(ConfigError, match=Code.STATE_IN_USE.value):
            agent_join.join("http://127.0.0.1:1", "ABCD-EFGH", state=tmp_path)
        with pytest.raises(ConfigError, match=Code.STATE_IN_USE.value):
            agent_join.leave(tmp_path)
    finally:
        os.close(lock)


def test_a_key_is_taken_from_a_file_or_standard_input_and_never_as_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "fhk_" + "a" * 43
    with pytest.raises(ConfigError, match="--code-file") as refused:
        agent_join.join("http://127.0.0.1:1", key, state=tmp_path)
    assert key not in str(refused.value)
    file = tmp_path / "key"
    file.write_text(f"{key}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"  {key}\n"))
    for number, given in enumerate((file, Path("-"))):
        with served(Script((201, ENROLLED))) as script:
            agent_join.join(script.url, code_file=given, state=tmp_path / str(number))
        assert script.seen[0][1]["code"] == key


@pytest.mark.parametrize("text", ["", "\n", None])
def test_a_file_without_a_code_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "key"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match="code_file"):
        agent_join.join("http://127.0.0.1:1", code_file=file, state=tmp_path)


@pytest.mark.parametrize("robot_id", ["", "a b", "../x"])
def test_an_id_that_is_none_is_refused(tmp_path: Path, robot_id: str) -> None:
    with pytest.raises(ConfigError, match="robot_id"):
        agent_join.join("http://127.0.0.1:1", robot_id=robot_id, state=tmp_path)


async def test_a_robot_with_a_key_in_its_image_enrols_when_it_starts_once(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("fhk_secret\n")
    with served(Script((201, ENROLLED))) as script:
        section = AgentSection(server=script.url, state=tmp_path / "s", enrolment_file=file)
        first = await agent_join.enrol_by_file(section)
        again = await agent_join.enrol_by_file(section)
    assert first == again
    assert len(script.seen) == 1
    assert "robotId" not in script.seen[0][1], "two hundred robots are not all called robot"


async def test_a_robot_without_any_enrolment_goes_by_its_settings(tmp_path: Path) -> None:
    section = AgentSection(state=tmp_path)
    assert await agent_join.enrol_by_file(section) is None
    assert agent_parts.enrolled(section, None) == (section, None)


async def test_what_was_agreed_at_the_enrolment_counts_and_only_the_address_may_change(
    tmp_path: Path,
) -> None:
    (tmp_path / "code").write_text("ABCD-EFGH")
    with served(Script((201, ENROLLED))) as script:
        section = AgentSection(
            server=script.url, state=tmp_path, enrolment_file=tmp_path / "code", robot_id="other"
        )
        enrolment = await agent_join.enrol_by_file(section)
    moved = section.model_copy(update={"server": "https://new.example"})
    found, identity = agent_parts.enrolled(moved, enrolment)
    assert (found.robot_id, found.service) == ("rover", "site-a")
    assert found.server == "https://new.example"
    assert identity is not None
    bare, _ = agent_parts.enrolled(AgentSection(state=tmp_path), enrolment)
    assert bare.server == script.url


def shown(asked: Asked, *, is_terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, color_system=None, width=200)
    agent_join.show_code(asked, "http://gw.example/", console)
    return out.getvalue()


def test_the_code_is_shown_with_the_page_that_approves_it() -> None:
    asked = Asked("ABCD-EFGH", "secret", 1)
    text = shown(asked, is_terminal=False)
    assert "ABCD-EFGH" in text
    assert "http://gw.example/enroll#code=ABCD-EFGH\n" in text
    assert "secret" not in text
    assert "█" not in text
    assert "█" in shown(asked, is_terminal=True)


def test_the_page_is_where_the_server_says() -> None:
    asked = Asked("ABCD-EFGH", "secret", 1, "https://gw.example/enroll#code=ABCD-EFGH")
    assert "https://gw.example/enroll#code=ABCD-EFGH\n" in shown(asked, is_terminal=False)


@pytest.mark.process
def test_whoever_waits_for_approval_sees_the_code_and_ends_it_with_ctrl_c(tmp_path: Path) -> None:
    pending = (202, {"status": "pending"})
    with served(Script((202, WAITING), pending)) as script:
        program = [sys.executable, "-m", "farhand", "agent", "join", script.url]
        with subprocess.Popen(
            [*program, "--state", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().split() == ["code", "ABCD-EFGH"]
            assert any("Waiting" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert read_enrolment(tmp_path) is None
