"""The gate's main loop: socket in, verdicts out, beats in between. Only core.gate decides."""

import contextlib
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import msgspec
import structlog

from farhand import __version__
from farhand.core.gate import Effect, FinishReset, Gate, Reply, SaveLatch
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord, read_record
from farhand.drivers.base import AxisLimits, Driver
from farhand.errors import Code, RemoteProtocolError, StoreError
from farhand.gate import tuning
from farhand.gate.actuator import Actuator, now_us
from farhand.gate.latch_file import LatchFile
from farhand.gate.link import AgentLink, is_same_user
from farhand.protocol import gate_link as g

log = structlog.get_logger(__name__)

BEAT_US = 50_000
STATE_US = 500_000
TURN_US = 20_000
"""Longest turn of the loop: it must be seen alive."""
COLLECT_US = 1_000_000
SAVE_AGAIN_US = 500_000
DELIVER_S = 0.05
HALT_S = 0.1
SAVE_S = 0.5
EXIT_FAULT = 70


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the program behaves around the gate."""

    state: Path
    """Folder of the latch file."""
    wait_agent_s: float = 10.0
    """The gate ends after this long without an agent; 0: never."""


class Runner:
    """One gate process.

    Args:
        config: The robot's own settings.
        driver: Connected; closed at the end.
        limits: The driver's, as far as the configuration has not lowered them.
        listener: The listening socket.
        options: See there.

    Raises:
        StoreError: The latch file cannot be written: such a gate could not keep a STOP.

    """

    def __init__(
        self,
        config: GateConfig,
        driver: Driver,
        limits: Sequence[AxisLimits],
        listener: socket.socket,
        options: RunOptions,
    ) -> None:
        self.driver = driver
        self.options = options
        self._file = LatchFile(options.state)
        record = read_record(self._file.read(), spare_id=int(time.time()))
        self.gate = Gate(config, limits, record, now_us())
        self.lock = threading.Lock()
        """Guards :attr:`gate`; held for microseconds."""
        self._axes = len(limits)
        self._listener = listener
        self._agent: AgentLink | None = None
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._ending = ""
        self._beat_at = self._state_at = self._collect_at = self._save_at = 0
        self._alone_since = now_us()
        self._said: tuple[object, ...] = ()
        self._unsaved = ""
        self._stops = (0, 0)
        self._still_id = 0
        """The driver has had the stop of this latch: what repeats it need not wait."""
        self._is_driver_busy = False
        """It did not take the stop in this turn: the next STOP does not wait as well."""
        self._save(self.gate.latch.record)
        self._actuator = Actuator(
            self.gate, driver, self.lock, on_change=self._wake_up, die=self._die
        )

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or too long without an agent; the driver is closed then."""
        for end in (self._wake, self._waker):
            end.setblocking(False)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._on_signal)
        # The C-level handler writes here: a signal wakes the loop at once.
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._drain)
        self._actuator.start()
        try:
            while not self._ending:
                self._turn()
        except Exception as exc:
            log.exception("the main loop failed")
            self._die(f"gate: {type(exc).__name__}")
        self._close()

    # --- one turn ---

    def _turn(self) -> None:
        self._is_driver_busy = False
        due = min(self._beat_at, self._state_at, now_us() + TURN_US)
        events = self._selector.select(max(0, due - now_us()) / 1e6)
        with self.lock:
            self.gate.pulse(now_us())
        self._do_what_is_due(now_us())
        for key, mask in events:
            if mask & selectors.EVENT_WRITE:
                self._to_agent(None)
            if mask & selectors.EVENT_READ:
                key.data()
        self._report()

    def _do_what_is_due(self, now: int) -> None:
        if now >= self._beat_at:
            self._beat_at = now + BEAT_US
            if self._agent is not None:
                with self.lock:
                    beat = self.gate.beat(now)
                self._to_agent(beat)
        if now >= self._state_at:
            self._state_at = now + STATE_US
            self._said = ()
        if now >= self._collect_at:
            self._collect_at = now + COLLECT_US
            tuning.collect()
        if not self.gate.latch.is_saved and now >= self._save_at:
            with contextlib.suppress(StoreError):
                self._save(self.gate.latch.record)
        wait_us = int(self.options.wait_agent_s * 1e6)
        if self._agent is None and wait_us and now - self._alone_since > wait_us:
            self._ending = "no agent came"

    def _report(self) -> None:
        gate = self.gate
        latch = gate.latch
        with self.lock:
            headline = (
                *(gate.epoch, latch.kind, latch.stop_id, latch.by, gate.shaper.is_moving),
                *(gate.watchdog, gate.pauses, gate.fault, len(gate.violations), self._unsaved),
                *(gate.cap, gate.cap_reason(), gate.positions.at_limit()),
            )
            if headline == self._said:
                return
            state = gate.state()
        self._said = headline
        self._tell_stops(gate.watchdog, gate.pauses)
        if self._unsaved:
            state = msgspec.structs.replace(state, fault=self._unsaved)
        self._to_agent(state)

    def _tell_stops(self, watchdog: int, pauses: int) -> None:
        if (watchdog, pauses) == self._stops:
            return
        self._stops = watchdog, pauses
        log.warning("stopped by the watchdog", silences=watchdog, pauses=pauses)

    # --- the agent ---

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        if self._agent is not None or not is_same_user(connection):
            log.warning("connection refused", reason="another agent is here or not our user")
            connection.close()
            return
        self._agent = AgentLink(connection)
        self._selector.register(connection, selectors.EVENT_READ, self._receive)
        config = self.gate.config
        self._to_agent(
            g.GateHello(
                __version__,
                self._axes,
                config.max_age_us // 1000,
                self.driver.device_timeout_s,
                self.driver.stop_behavior,
            )
        )
        self._said = ()
        log.info("agent connected")

    def _receive(self) -> None:
        agent = self._agent
        if agent is None:
            return
        try:
            for message in agent.receive():
                self._handle(message)
                if self._agent is not agent:
                    return  # lost while we answered: the rest of what it said is void
        except RemoteProtocolError as exc:
            self._lose_agent(str(exc))
        except OSError as exc:
            self._lose_agent(str(exc))

    def _to_agent(self, message: g.FromGate | None) -> None:
        agent = self._agent
        if agent is None:
            return
        try:
            if message is None:
                agent.flush()
            else:
                agent.send(message, must=isinstance(message, g.Halted | g.ResetDone))
        except OSError as exc:
            self._lose_agent(str(exc))
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if agent.has_output else 0)
        if self._selector.get_key(agent.socket).events != events:
            self._selector.modify(agent.socket, events, self._receive)

    def _lose_agent(self, reason: str) -> None:
        with self.lock:
            self.gate.agent_gone()
        self._actuator.poke()
        if self._agent is not None:
            self._selector.unregister(self._agent.socket)
            self._agent.close()
        self._agent = None
        self._alone_since = now_us()
        log.warning("agent gone", reason=reason, next="waiting for a new one, standing still")

    def _handle(self, message: g.ToGate) -> None:
        if isinstance(message, g.Command):
            self._command(message)
        elif isinstance(message, g.Answered):
            with self.lock:
                self.gate.answered(message.member, message.n, message.peer_us, now_us())
        elif isinstance(message, g.Halt):
            with self.lock:
                effects = self.gate.halt(message.member, message.nonce, message.name)
            self._actuator.poke()
            self._carry_out(effects)
        elif isinstance(message, g.Reset):
            with self.lock:
                effects = self.gate.reset(message.member, message.stop_id)
            self._carry_out(effects)
        else:
            self._change_grant(message)

    def _command(self, message: g.Command) -> None:
        with self.lock:
            judged = self.gate.command(
                message.member, message.frame, now_us(), is_relayed=message.is_relayed
            )
        self._to_agent(judged)  # first: waking the other thread would delay the answer
        if judged.code is None:
            self._actuator.poke()

    def _change_grant(self, message: g.Grant | g.Revoke | g.Forget) -> None:
        now = now_us()
        with self.lock:
            if isinstance(message, g.Grant):
                if not self.gate.grant(message.member, message.epoch, now, message.steer_by):
                    log.warning("grant refused", epoch=message.epoch)
            elif isinstance(message, g.Forget):
                self.gate.forget(message.member, now)
            else:
                self.gate.revoke()
        self._actuator.poke()

    # --- STOP and reset ---

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SaveLatch):
                try:
                    self._save_soon(effect.record)
                except StoreError:
                    self._refuse_unsaved(effects)
                    return
            elif isinstance(effect, FinishReset):
                with self.lock:
                    more = self.gate.finish_reset(effect.member, effect.stop_id)
                self._carry_out(more)
            else:
                self._reply(effect)

    def _reply(self, effect: Reply) -> None:
        # STOP is acknowledged when the driver has had it; a member repeats STOP until then.
        message = effect.message
        if isinstance(message, g.Halted) and message.stop_id != self._still_id:
            if self._is_driver_busy or not self._actuator.wait_delivered(DELIVER_S):
                self._is_driver_busy = True
                return
            self._still_id = message.stop_id
        self._to_agent(message)

    def _refuse_unsaved(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, FinishReset):
                self._to_agent(g.ResetDone(effect.member, effect.stop_id, Code.LATCH_NOT_SAVED))

    def _save_soon(self, record: LatchRecord) -> None:
        if self._unsaved and now_us() < self._save_at:
            raise StoreError(Code.LATCH_NOT_SAVED, "Tried a moment ago.")
        self._save(record)

    def _save(self, record: LatchRecord) -> None:
        try:
            self._file.write(record)
        except StoreError as exc:
            self._save_at = now_us() + SAVE_AGAIN_US
            if not self._unsaved:
                log.error("latch not saved", error=str(exc), next="free the disk; it is retried")
            self._unsaved = exc.text
            with self.lock:
                self.gate.latch.is_saved = False
            raise
        self._unsaved = ""
        with self.lock:
            self.gate.latch.mark_saved(record)

    # --- the end ---

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        self._ending = signal.Signals(signum).name

    def _wake_up(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(4096)

    def _close(self) -> None:
        log.info("gate ends", reason=self._ending)
        with self.lock:
            self.gate.agent_gone()
        self._actuator.wait_delivered(HALT_S)
        self._actuator.close()
        with contextlib.suppress(Exception):
            self.driver.close()
        for end in (self._wake, self._waker, self._listener):
            end.close()
        if self._agent is not None:
            self._agent.close()

    def _die(self, reason: str) -> None:
        """Latch, halt, exit: in this order, and whatever of it hangs is left behind."""
        has_lock = self.lock.acquire(timeout=HALT_S)
        self.gate.stand()
        self.gate.latch.press(reason)
        record = self.gate.latch.record
        if has_lock:
            self.lock.release()
        _attempt(self.driver.halt, HALT_S)
        _attempt(lambda: self._file.write(record), SAVE_S)
        log.critical("gate gives up", reason=reason, next="the device stops by itself")
        time.sleep(0.02)  # for the log's thread
        os._exit(EXIT_FAULT)  # a thread that hangs would keep any other way out from working


def _attempt(action: Callable[[], None], timeout_s: float) -> None:
    def run() -> None:
        with contextlib.suppress(Exception):
            action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_s)
