"""Everything between the command line and the main loop, in the order in which it must happen."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import structlog

from farhand.core.gate_config import GateConfig
from farhand.core.governor_config import GovernorConfig
from farhand.drivers.base import AxisLimits, Driver
from farhand.errors import Code, ConfigError, DriverError
from farhand.gate import tuning
from farhand.gate.limits import Overrides, lower
from farhand.gate.link import listen
from farhand.gate.runner import Runner, RunOptions
from farhand.store.folder_lock import lock_folder

log = structlog.get_logger(__name__)

CONNECT_S = 4.0
"""So long is a device waited for; the agent gives the gate 10 s to open its socket."""
CONNECT_EVERY_S = 0.1
MIN_MAX_AGE_MS = 20
MAX_MAX_AGE_MS = 400


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What the robot's owner says."""

    socket: Path
    state: Path
    max_age_ms: int = 150
    unlatch_on_grant: bool = False
    accept_no_device_timeout: bool = False
    limits: Overrides = field(default_factory=dict)
    governor: GovernorConfig = field(default_factory=GovernorConfig)
    wait_agent_s: float = 10.0


def check_settings(settings: GateSettings) -> None:
    """Refuse what must not be.

    Raises:
        ConfigError: The key and the range.

    """
    if not MIN_MAX_AGE_MS <= settings.max_age_ms <= MAX_MAX_AGE_MS:
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"max_age_ms: {settings.max_age_ms} is not from {MIN_MAX_AGE_MS} to {MAX_MAX_AGE_MS}.",
            "150 is the default; more lowers the speed to 30 %.",
        )


def check_driver(driver: Driver, *, accepts_no_timeout: bool) -> None:
    """Refuse a device that would go on for ever if this process froze.

    Raises:
        ConfigError: FH-6002.

    """
    if driver.device_timeout_s is None and not accepts_no_timeout:
        raise ConfigError(
            Code.NO_DEVICE_TIMEOUT,
            "The driver's device does not stop by itself when setpoints cease.",
            "Set a time-out in the device, or --accept-no-device-timeout if you take that risk.",
        )


def check_blind_distance(governor: GovernorConfig, axes: Sequence[AxisLimits]) -> None:
    """Refuse a blind distance for a robot that has no way to go one.

    Raises:
        ConfigError: No axis is called ``linear…``.

    """
    if governor.blind_distance_m is not None and not any(a.id.startswith("linear") for a in axes):
        raise ConfigError(
            Code.CONFIG_INVALID,
            "governor.blind_distance_m: the driver has no linear axis.",
            "Leave it out; t_ref_ms then decides.",
        )


def connect(driver: Driver, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Open the device; wait a little for one that is about to come up.

    Raises:
        DriverError: It is not there.

    """
    give_up_at = clock() + CONNECT_S
    while True:
        try:
            driver.connect()
            return
        except DriverError as exc:
            if not exc.retryable or clock() >= give_up_at:
                raise
        sleep(CONNECT_EVERY_S)


def run(settings: GateSettings, make_driver: Callable[[], Driver]) -> None:
    """Run a gate until it ends.

    Raises:
        FarhandError: It cannot start.

    """
    check_settings(settings)
    folder_lock = lock_folder(settings.state, "gate")
    try:
        driver = make_driver()
        check_driver(driver, accepts_no_timeout=settings.accept_no_device_timeout)
        scheduler = tuning.tune()
        connect(driver, time.monotonic, time.sleep)
        config = GateConfig(
            settings.max_age_ms * 1000, settings.unlatch_on_grant, settings.governor
        )
        limits = lower(driver.axes, settings.limits)
        check_blind_distance(settings.governor, limits)
        options = RunOptions(settings.state, settings.wait_agent_s)
        runner = Runner(config, driver, limits, listen(settings.socket), options)
        log.info(
            "gate ready",
            axes=[axis.id for axis in limits],
            max_age_ms=settings.max_age_ms,
            watchdog_ms=config.watchdog_us // 1000,
            speed_cap=config.speed_cap,
            governor=asdict(config.governor),
            device_timeout_s=driver.device_timeout_s,
            latch=runner.gate.latch.kind,
            scheduler=scheduler,
        )
        runner.run()
    finally:
        settings.socket.unlink(missing_ok=True)  # while it is surely ours
        os.close(folder_lock)
