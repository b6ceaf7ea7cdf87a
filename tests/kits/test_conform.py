"""The kit's judgement: what it says of motion, of attempts, and in its reports. No robot."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import msgspec
import pytest
from typer.testing import CliRunner

from farhand.cli.main import build
from farhand.client.setpoints import now_us
from farhand.errors import Code, ConfigError
from farhand.kits.conform import own, report, runner
from farhand.kits.conform.cases.limits import steepest
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import (
    CATALOGUE,
    Case,
    Catalogue,
    Finding,
    Need,
    Report,
    Result,
    Skipped,
    Unable,
    Violation,
    counted,
)
from farhand.kits.conform.observation import (
    HookMotion,
    Noted,
    Sample,
    SimMotion,
    TelemetryMotion,
    observer,
    sample_of,
)
from farhand.kits.conform.options import Options, may_kill, pid_file
from farhand.protocol.ids import RobotId
from farhand.protocol.manifest import Manifest, TelemetryChannel

DOCS = Path(__file__).resolve().parents[2] / "docs"
MS = 1000


class Seen(Noted):
    """Motion of a command, sample by sample, 10 ms apart from 0."""

    is_command = True

    def __init__(self, *speeds: float) -> None:
        super().__init__()
        for number, speed in enumerate(speeds):
            self.add(Sample(number * 10 * MS, abs(speed), speed))


def test_a_standstill_begins_with_the_first_sample_that_stays_still() -> None:
    assert Seen(1, 1, 0, 0, 1, *[0] * 12).standstill_us(0) == 50 * MS


def test_a_standstill_must_last() -> None:
    assert Seen(1, 1, *[0] * 5).standstill_us(0) is None


def test_a_robot_that_creeps_does_not_stand_where_the_command_is_seen() -> None:
    creeping = Seen(*[0.001] * 30)
    assert creeping.standstill_us(0) is None
    assert creeping.peak(0) == 0.001


def test_who_sees_speed_forgives_its_noise() -> None:
    noise = Noted()
    for number in range(30):
        noise.add(Sample(number * 10 * MS, 0.01, 0.01))
    assert noise.standstill_us(0) == 0
    assert noise.peak(0) == 0


def test_an_observer_that_saw_nothing_has_seen_no_standstill() -> None:
    blind = Seen()
    assert blind.standstill_us(0) is None
    with pytest.raises(Unable, match="saw nothing"):
        blind.peak(0)


async def test_a_standstill_after_the_bound_is_a_violation_with_its_figure() -> None:
    kit = Kit(Options("http://s", "sim"))
    kit._motion = Seen(*[1.0] * 40, *[0.0] * 20)
    found = await kit.stands_within(100 * MS, 320)
    assert (found.measured, found.bound) == (300.0, 320.0)
    with pytest.raises(Violation, match="after 400 ms") as broken:
        await kit.stands_within(0, 320)
    assert (broken.value.measured, broken.value.bound) == (400.0, 320.0)


async def test_motion_while_it_must_stay_still_is_a_violation() -> None:
    kit = Kit(Options("http://s", "sim"))
    kit.manifest = SIM
    kit._motion = Seen(*[0.0] * 20, 0.1, *[0.0] * 20)
    await kit.stays(300 * MS, 0.0)
    with pytest.raises(Violation, match=r"it moved, up to 0\.100 m/s"):
        await kit.stays(0, 0.0)


def test_a_jump_is_steeper_than_a_ramp_of_the_same_height() -> None:
    ramp = [Sample(n * 5 * MS, n * 0.01, n * 0.01) for n in range(20)]
    jump = [Sample(n * 5 * MS, 0.19 * (n > 5), 0.19 * (n > 5)) for n in range(20)]
    assert steepest(ramp) == pytest.approx(0.08)
    assert steepest(jump) == 0.19


# --- observers ---

SIM = msgspec.json.decode(
    b'{"robotId": "sim", "name": "sim", "axes": [{"id": "linear.x", "label": "Forward", '
    b'"unit": "m/s", "minimum": -1, "maximum": 2}, {"id": "pan", "label": "Pan", "unit": "rad/s",'
    b' "minimum": -1, "maximum": 1}, {"id": "angular.z", "label": "Turn", "unit": "rad/s", '
    b'"minimum": -1, "maximum": 1}]}',
    type=Manifest,
)


def test_telemetry_in_rates_is_speed_and_nothing_else_is() -> None:
    sample = sample_of({"turn": -0.4, "ahead": 0.1, "volt": 24.0}, ["ahead", "turn"], 7)
    assert sample == Sample(7, 0.4, 0.1)


def test_a_robot_that_tells_no_speed_needs_another_observer() -> None:
    mute = Manifest(RobotId("mute"), "mute", telemetry=(TelemetryChannel("v", "Volt", "V"),))
    with pytest.raises(ConfigError, match="tells no speed"):
        observer("telemetry", mute, braking_ms=0)


def test_observers_are_told_apart_by_their_names() -> None:
    speaking = Manifest(RobotId("a"), "a", telemetry=(TelemetryChannel("v", "Speed", "m/s"),))
    assert isinstance(observer("telemetry", speaking, braking_ms=0), TelemetryMotion)
    assert isinstance(observer("sim:/x", speaking, braking_ms=0), SimMotion)
    hook = observer(f"{__name__}:standing", speaking, braking_ms=250)
    assert isinstance(hook, HookMotion)
    assert hook.slack_ms >= 250
    with pytest.raises(ConfigError, match="no 'json:nothing'"):
        observer("json:nothing", speaking, braking_ms=0)


def standing() -> Iterator[tuple[float, float]]:
    while True:
        yield time.monotonic(), -0.5
        time.sleep(0.01)


def failing() -> Iterator[tuple[float, float]]:
    raise OSError("no such encoder")
    yield 0.0, 0.0


async def test_a_hook_of_the_users_own_is_read_on_a_thread() -> None:
    hook = HookMotion(f"{__name__}:standing", braking_ms=0)
    await hook.start()
    assert hook.since(0)[0].speed == 0.5
    hook.close()


async def test_a_hook_that_fails_says_so() -> None:
    with pytest.raises(ConfigError, match="no such encoder"):
        await HookMotion(f"{__name__}:failing", braking_ms=0).start()


# --- what may be killed ---


def test_only_known_programs_with_a_pid_file_may_be_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    found = may_kill([f"gate={file}"])
    with pytest.raises(Unable, match="No process id"):
        found["gate"]()
    file.write_text("123\n")
    assert found["gate"]() == 123
    for bad in ("init=/x", "gate", "gate="):
        with pytest.raises(ConfigError, match="NAME=PIDFILE"):
            may_kill([bad])


@pytest.mark.parametrize("text", ["1", "0", "-1"])
def test_a_pid_that_means_more_than_one_program_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pid"
    file.write_text(text)
    with pytest.raises(Unable, match="may be killed"):
        pid_file(file)()


# --- the runner ---


class NoRobot:
    """As much of a kit as the runner needs."""

    def __init__(self) -> None:
        self.lacks: dict[Need, str] = {}
        self.readied = self.settled = 0

    def missing(self, need: Need) -> str | None:
        return self.lacks.get(need)

    async def ready(self) -> None:
        self.readied += 1

    async def settle(self) -> None:
        self.settled += 1


def a_case(run: Callable[[Kit], Awaitable[Finding]], *needs: Need, timeout_s: float = 5) -> Case:
    return Case("x", "something", "I1", "nothing", run, ("a/b#1",), needs, timeout_s)


def raising(error: Exception | None) -> Callable[[Kit], Awaitable[Finding]]:
    async def run(_kit: Kit) -> Finding:
        if error is not None:
            raise error
        return Finding("stood after 1 ms", 1.0, 2.0, "ms")

    return run


async def outcome(case: Case, kit: NoRobot | None = None, *before: Result) -> Result:
    return await runner._run_one(cast(Kit, kit or NoRobot()), case, before)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, "pass"),
        (Violation("moved", 3.0, 2.0), "fail"),
        (Unable("no robot"), "error"),
        (Skipped("not here"), "skip"),
        (ConfigError(Code.CONFIG_INVALID, "broken"), "error"),
    ],
)
async def test_what_becomes_of_a_case(error: Exception | None, expected: str) -> None:
    kit = NoRobot()
    result = await outcome(a_case(raising(error)), kit)
    assert result.outcome == expected
    assert kit.readied == kit.settled == result.attempts


async def test_a_case_that_does_not_end_is_an_error() -> None:
    async def hang(_kit: Kit) -> Finding:
        await asyncio.sleep(10)
        raise AssertionError

    result = await outcome(a_case(hang, timeout_s=0.05))
    assert (result.outcome, result.text) == ("error", "it did not end within 0 s")


async def test_a_robot_that_does_not_answer_is_no_case_that_takes_too_long() -> None:
    result = await outcome(a_case(raising(TimeoutError())))
    assert (result.outcome, result.text) == ("error", "the robot did not tell what was waited for")


async def test_what_is_missing_skips_with_its_reason() -> None:
    kit = NoRobot()
    kit.lacks["gate"] = "may not kill the gate"
    result = await outcome(a_case(raising(None), "second", "gate"), kit)
    assert (result.outcome, result.text, kit.readied) == ("skip", "may not kill the gate", 0)


@pytest.mark.parametrize("held_up_s", [0.0, 0.1])
async def test_only_a_failure_of_a_kit_that_was_held_up_is_tried_again(held_up_s: float) -> None:
    async def run(_kit: Kit) -> Finding:
        await asyncio.sleep(0.02)
        time.sleep(held_up_s)  # noqa: ASYNC251 - that is what is tested
        await asyncio.sleep(0.02)
        raise Violation("late")

    result = await outcome(a_case(run))
    assert result.outcome == "fail"
    if held_up_s:
        assert result.attempts == runner.ATTEMPTS
        assert result.held_up_ms > 80
    else:
        assert result.attempts == 1 or result.held_up_ms > runner.HELD_UP_MS


async def test_a_robot_that_does_not_drive_proves_nothing() -> None:
    dead = Result(runner.BASELINE, "", "I11", "", "fail", "it does not move")
    result = await outcome(a_case(raising(None)), None, dead)
    assert (result.outcome, result.text) == (
        "skip",
        "the robot does not drive: nothing would be proved",
    )


def test_the_baseline_comes_first_and_with_every_choice() -> None:
    assert [case.id for case in runner.chosen(["silence"])] == [runner.BASELINE, "silence"]
    assert next(iter(CATALOGUE.cases)) == runner.BASELINE
    with pytest.raises(ConfigError, match="unknown nothing"):
        runner.chosen(["nothing"])


def test_no_two_cases_have_one_name() -> None:
    catalogue = Catalogue()
    register = catalogue.add("a", "", rule="", bound="")
    register(raising(None))
    with pytest.raises(ValueError, match="two cases"):
        register(raising(None))


# --- reports ---


def a_report(*results: Result) -> Report:
    return Report(
        1,
        "0.1",
        "http://s",
        "r\x1b[2J",
        "m",
        "s",
        True,
        "sim",
        0.2,
        150,
        "2026-01-01T00:00:00+00:00",
        1.5,
        counted(list(results)),
        results,
    )


ALL_KINDS = a_report(
    Result("a", "A", "I1", "at once", "pass", "after 3 ms", ("x/y#1",), 3.0, 9.0, "ms"),
    Result("b", "B", "I2", "at once", "fail", "moved <&> \x00\x1b[31m", (), 1.0, 0.0),
    Result("c", "C", "I3", "at once", "error", "no robot " + "long " * 60),
    Result("d", "D", "I4", "at once", "skip", "may not", attempts=1),
)


@pytest.mark.parametrize(
    ("outcomes", "is_passed"),
    [
        (["pass"], True),
        (["pass", "skip"], True),
        (["pass", "fail"], False),
        (["pass", "error"], False),
    ],
)
def test_a_report_is_passed_when_nothing_failed_and_nothing_ended_in_an_error(
    outcomes: list[str], is_passed: bool
) -> None:
    results = [Result("x", "", "", "", cast(Any, o), "") for o in outcomes]
    assert a_report(*results).is_passed is is_passed


def test_the_table_is_at_most_100_columns_and_hides_no_outcome() -> None:
    lines = report.table(ALL_KINDS).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("1 pass, 1 fail, 1 error, 1 skip: ")
    for mark, name in (("✓", "a"), ("✗", "b"), ("!", "c"), ("–", "d")):
        assert any(line.startswith(mark) and f" {name} " in line for line in lines)


def test_what_a_robot_says_moves_no_terminal() -> None:
    for text in (report.table(ALL_KINDS), report.line(ALL_KINDS.cases[1])):
        assert "\x1b" not in text
        assert "\x00" not in text


def test_junit_counts_what_there_is_and_holds_every_reason() -> None:
    root = ET.fromstring(report.junit(ALL_KINDS))
    suite = root.find("testsuite")
    assert suite is not None
    figures = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert figures == ["4", "1", "1", "1"]
    kinds = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert kinds == {
        "a": ["system-out"],
        "b": ["failure", "system-out"],
        "c": ["error", "system-out"],
        "d": ["skipped", "system-out"],
    }
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "moved <&> ??[31m"


def test_json_decodes_to_the_same_report() -> None:
    assert msgspec.json.decode(msgspec.json.encode(ALL_KINDS), type=Report) == ALL_KINDS


# --- the page ---

PAGE = (DOCS / "conform.md").read_text("utf-8")


def test_the_page_names_every_case_with_its_rule_and_its_bugs() -> None:
    for case in CATALOGUE.cases.values():
        row = re.search(rf"^\| `{case.id}` \|.*$", PAGE, re.MULTILINE)
        assert row, case.id
        assert f"| {case.rule} |" in row[0], case.id
        for bug in case.bugs:
            assert bug in row[0], (case.id, bug)


def test_the_page_names_no_case_that_there_is_not() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE)) == set(CATALOGUE.cases)


def test_the_page_describes_every_member_of_the_json_report() -> None:
    for struct in (Report, Result):
        for field in msgspec.structs.fields(struct):
            assert f"`{field.encode_name}`" in PAGE, field.encode_name


def test_the_example_of_the_page_is_a_report() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example
    found = msgspec.json.decode(json.dumps(json.loads(example[1])), type=Report)
    assert found.counts == counted(list(found.cases))


def test_every_bug_is_cited_by_its_owner_its_project_and_its_number() -> None:
    for case in CATALOGUE.cases.values():
        for bug in case.bugs:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", bug), bug


def test_now_is_the_clock_of_the_observers() -> None:
    assert abs(now_us() - time.monotonic_ns() // 1000) < 100 * MS


# --- the command ---


def conform(*arguments: str) -> Any:
    return CliRunner().invoke(build("conform"), ["conform", *arguments])


def test_the_list_names_every_case_in_100_columns() -> None:
    lines = conform("--list").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert {line.split()[0] for line in lines[1:] if line[:1].strip()} == set(CATALOGUE.cases)


@pytest.mark.parametrize("arguments", [[], ["sim", "--own"], ["sim", "--case", "nothing"]])
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    assert isinstance(conform(*arguments).exception, ConfigError)


@pytest.mark.parametrize("code", [0, 1])
def test_only_a_passed_report_ends_with_0_and_both_files_are_written_either_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    found = ALL_KINDS if code else a_report(ALL_KINDS.cases[0], ALL_KINDS.cases[3])
    monkeypatch.setattr(own, "run", lambda *_arguments, **_options: found)
    junit, as_json = tmp_path / "r.xml", tmp_path / "r.json"
    result = conform("--own", "--junit", str(junit), "--json", str(as_json))
    assert result.exit_code == code
    assert msgspec.json.decode(as_json.read_bytes(), type=Report) == found
    assert ET.fromstring(junit.read_text("utf-8")).get("tests") == str(len(found.cases))
