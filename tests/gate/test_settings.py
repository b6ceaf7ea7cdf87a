"""What the robot's owner may say, and what is refused."""

from pathlib import Path

import pytest
import structlog

from farhand.core.gate_latch import LatchRecord
from farhand.drivers.null import NullDriver, NullOptions
from farhand.errors import Code, ConfigError, DriverError, StoreError
from farhand.gate.latch_file import LatchFile
from farhand.gate.limits import lower, parse_overrides
from farhand.gate.process import GateSettings, check_driver, check_settings, connect, run
from farhand.store.folder_lock import lock_folder

AXES = NullDriver(NullOptions(axes=2)).axes


def test_limits_can_be_lowered() -> None:
    overrides = parse_overrides('{"linear.x": {"minimum": -0.2, "maximum": 0.5, "jerk": 3}}')
    x, z = lower(AXES, overrides)
    assert (x.minimum, x.maximum, x.jerk) == (-0.2, 0.5, 3)
    assert (x.acceleration, z) == (AXES[0].acceleration, AXES[1])


@pytest.mark.parametrize(
    "text",
    [
        '{"linear.x": {"maximum": 1.1}}',
        '{"linear.x": {"maximum": -0.1}}',
        '{"linear.x": {"minimum": -1.1}}',
        '{"linear.x": {"minimum": 0.1}}',
        '{"linear.x": {"acceleration": 0}}',
        '{"linear.x": {"jerk": -1}}',
        '{"linear.x": {"speed": 0.1}}',
        '{"wheels": {"maximum": 0.1}}',
        '{"linear.x": 0.1}',
        "[]",
        "{",
    ],
)
def test_other_limits_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="FH-1001 limits"):
        lower(AXES, parse_overrides(text))


def test_no_limits_change_nothing() -> None:
    assert lower(AXES, parse_overrides("")) == list(AXES)


@pytest.mark.parametrize("max_age_ms", [19, 401])
def test_max_age_has_a_range(max_age_ms: int) -> None:
    with pytest.raises(ConfigError, match="max_age_ms"):
        check_settings(GateSettings(Path("s"), Path("d"), max_age_ms=max_age_ms))


def test_a_device_without_time_out_must_be_accepted() -> None:
    driver = NullDriver(NullOptions(device_timeout_s=None))
    with pytest.raises(ConfigError, match="FH-6002"):
        check_driver(driver, accepts_no_timeout=False)
    check_driver(driver, accepts_no_timeout=True)
    check_driver(NullDriver(), accepts_no_timeout=False)


class Late(NullDriver):
    """A device that is there at the third try, if ever."""

    def __init__(self, *, retryable: bool, tries: int = 3) -> None:
        super().__init__()
        self.retryable = retryable
        self.tries = tries

    def connect(self) -> None:
        self.tries -= 1
        if self.tries:
            raise DriverError(Code.DRIVER_FAULT, "Not yet.", retryable=self.retryable)
        super().connect()


def test_a_device_that_comes_up_late_is_waited_for() -> None:
    slept: list[float] = []
    connect(Late(retryable=True), lambda: sum(slept), slept.append)
    assert len(slept) == 2


def test_a_device_that_does_not_come_up_is_given_up() -> None:
    slept: list[float] = []
    with pytest.raises(DriverError):
        connect(Late(retryable=True, tries=10_000), lambda: sum(slept), slept.append)
    assert sum(slept) == pytest.approx(4.0)


def test_a_device_that_will_not_come_up_is_not_waited_for() -> None:
    with pytest.raises(DriverError):
        connect(Late(retryable=False), lambda: 0.0, lambda _s: pytest.fail("waits"))


def test_the_socket_is_removed_while_the_folder_is_still_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[Path] = []

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        with pytest.raises(ConfigError, match="another gate"):
            lock_folder(tmp_path, "gate")
        removed.append(path)

    monkeypatch.setattr(Path, "unlink", unlink)
    settings = GateSettings(socket=tmp_path / "gate.sock", state=tmp_path)
    driver = NullDriver(NullOptions(device_timeout_s=None))
    try:
        with pytest.raises(ConfigError, match="FH-6002"):
            run(settings, lambda: driver)
    finally:
        structlog.reset_defaults()
    assert removed == [settings.socket]


def test_the_latch_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = LatchFile(tmp_path)
    assert file.read() is None
    file.write(LatchRecord(1, is_stopped=True, by="Ana"))
    file.write(LatchRecord(2, is_stopped=False))
    assert file.read() == b'{"stopId":2,"isStopped":false,"by":""}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["stop-latch.json"]


def test_a_latch_that_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="FH-7017"):
        LatchFile(tmp_path / "gone").write(LatchRecord(1, is_stopped=True))
    (tmp_path / "stop-latch.json").mkdir()
    assert LatchFile(tmp_path).read() == b""
