"""Lets the gate of this machine call your program.

Your program listens on a Unix socket that only its own user can open; ``farhand agent run --driver
callbacks --driver-socket PATH`` finds it there. Commands reach your callback through the gate
alone: limited, fresh, and from whoever holds the lease.
"""

import atexit
import contextlib
import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from farhand.drivers import callback_wire as wire
from farhand.errors import Code, ConfigError, RemoteProtocolError
from farhand.protocol.manifest import StopBehavior
from farhand.robot.caller import Callbacks, Caller

LOOK_S = 0.02
READ_BYTES = 65536
MAX_CONNECTIONS = 8
"""A gate has two, an agent one for a moment."""


class Host:
    """Your program, as the gate sees it. A context manager; :func:`serve` is the short way.

    Args:
        path: Unix socket to listen on; made anew, for this user alone.
        on_setpoint: Called with the newest setpoint, rates by axis id, some 50 times a second while
            a gate is there; on a thread of its own, never twice at once. It must return within
            100 ms: else, or when it raises, the gate latches a STOP. Without a frame from the gate
            for 100 ms it is called once with zeros.
        axes: What moves: :func:`farhand.robot.twist`, :func:`farhand.robot.joint`,
            :func:`farhand.robot.axis`.
        stop_behavior: What stop means for this robot. ``hold`` and ``land`` need ``on_stop``.
        on_stop: Called in place of ``on_setpoint`` when the robot is to stop, and again at each
            tick for as long as it is to stand: calling it twice must do no harm.
        on_halt: Called on yet another thread when the gate gives up, even while ``on_setpoint``
            hangs: the place to cut the motors' power, if your robot has a way.
        positions: Returns where each axis is (m or rad; ``None``: unknown), without waiting;
            called after each setpoint. Axes with position limits need it.

    Raises:
        ValueError: The declaration makes no sense; the text says which axis and why.

    """

    def __init__(
        self,
        path: Path | str,
        on_setpoint: Callable[[Mapping[str, float]], object],
        *,
        axes: Sequence[wire.DeclaredAxis],
        stop_behavior: StopBehavior = "zero",
        on_stop: Callable[[], object] | None = None,
        on_halt: Callable[[], object] | None = None,
        positions: Callable[[], Sequence[float | None]] | None = None,
    ) -> None:
        self.path = Path(path)
        self._declaration = wire.Declaration(wire.VERSION, tuple(axes), stop_behavior)
        wire.check(self._declaration)
        if stop_behavior != "zero" and on_stop is None:
            raise ValueError(f"stop_behavior {stop_behavior!r} needs on_stop")
        limited = [a.id for a in axes if (a.position_minimum, a.position_maximum) != (None, None)]
        if limited and positions is None:
            raise ValueError(f"{limited[0]} has position limits: it needs positions")
        self._on_halt = on_halt
        self._halting: threading.Thread | None = None
        callbacks = Callbacks(on_setpoint, on_stop, on_halt, positions)
        self._caller = Caller(axes, callbacks, self._tell)
        self._selector = selectors.DefaultSelector()
        self._sockets: tuple[socket.socket, ...] = ()
        """The listener, and both ends by which other threads wake ours; empty: not started."""
        self._peers: dict[socket.socket, wire.LinkReader] = {}
        self._gate: socket.socket | None = None
        self._news: dict[type, wire.Took | wire.Fault] = {}
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="farhand-gate", daemon=True)

    @property
    def is_attached(self) -> bool:
        """Whether a gate is there."""
        return self._gate is not None

    @property
    def fault(self) -> str:
        """Why your callback gets no motion until the gate has attached anew; empty: it does."""
        return self._caller.fault

    def start(self) -> None:
        """Listen, and call back from now on, on threads of our own.

        Raises:
            ConfigError: The socket cannot be made, or another program listens there (FH-1001).

        """
        self._sockets = (_listen(self.path), *socket.socketpair())
        for number, end in enumerate(self._sockets):
            end.setblocking(False)
            if number < 2:  # we read the listener and the wake-up's one end
                self._selector.register(end, selectors.EVENT_READ)
        self._caller.start()
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Call back with zero a last time and hang up. Idempotent."""
        atexit.unregister(self.close)
        if not self._sockets or self._is_closing:
            return
        self._is_closing = True
        self._poke()
        self._thread.join(0.5)
        self._caller.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def __enter__(self) -> "Host":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the caller's threads ---

    def _tell(self, news: wire.Took | wire.Fault) -> None:
        self._news[type(news)] = news
        self._poke()

    def _poke(self) -> None:
        with contextlib.suppress(OSError):  # it is full: the loop wakes up anyway
            self._sockets[2].send(b"\0")

    # --- our thread ---

    def _run(self) -> None:
        try:
            while not self._is_closing:
                for key, _ in self._selector.select(LOOK_S if self._gate else None):
                    self._handle(key.fileobj)
                self._caller.look()
                self._pass_on()
        finally:
            for peer in list(self._peers):
                self._drop(peer)
            self._selector.close()
            for end in self._sockets:
                end.close()

    def _handle(self, source: object) -> None:
        listener, wake, _ = self._sockets
        if source is listener:
            self._accept(listener)
        elif source is wake:
            with contextlib.suppress(BlockingIOError):
                wake.recv(4096)
        elif isinstance(source, socket.socket) and source in self._peers:
            self._receive(source)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            if len(self._peers) >= MAX_CONNECTIONS or not wire.is_same_user(peer):
                peer.close()
                return
            peer.setblocking(False)
            self._peers[peer] = wire.LinkReader()
            self._selector.register(peer, selectors.EVENT_READ)

    def _receive(self, peer: socket.socket) -> None:
        try:
            data = peer.recv(READ_BYTES)
            if not data:
                raise ConnectionResetError
            for body in self._peers[peer].feed(data):
                self._obey(peer, wire.decode_to_program(body))
        except BlockingIOError:
            return
        except (OSError, RemoteProtocolError):
            self._drop(peer)

    def _obey(self, peer: socket.socket, message: wire.ToProgram) -> None:
        if isinstance(message, wire.Ask):
            wire.write(peer, wire.pack(self._declaration))
        elif isinstance(message, wire.Attach):
            self._attach(peer)
        elif isinstance(message, wire.Halt):
            self._halt()
        elif peer is not self._gate:
            raise RemoteProtocolError(Code.WRONG_STATE, "A setpoint of somebody who is no gate.")
        else:
            if isinstance(message, wire.Setpoint):
                self._check(message)
            self._caller.take(message)

    def _check(self, message: wire.Setpoint) -> None:
        wanted = len(self._declaration.axes)
        if len(message.axes) != wanted or not wire.are_finite(message.axes):
            raise RemoteProtocolError(Code.MALFORMED, f"A setpoint that is not {wanted} numbers.")

    def _attach(self, peer: socket.socket) -> None:
        if self._gate not in (None, peer):
            self._drop(self._gate)
        self._news.clear()
        if not self._caller.begin():
            wire.write(peer, wire.pack(wire.Fault(self._caller.fault)))
            raise ConnectionAbortedError
        self._gate = peer
        wire.write(peer, wire.pack(self._declaration))

    def _halt(self) -> None:
        self._caller.stand()
        if self._on_halt is None or (self._halting is not None and self._halting.is_alive()):
            return
        self._halting = threading.Thread(target=self._on_halt, name="farhand-halt", daemon=True)
        self._halting.start()

    def _pass_on(self) -> None:
        for kind in (wire.Took, wire.Fault):
            news = self._news.pop(kind, None)
            if news is not None and self._gate is not None:
                try:
                    wire.write(self._gate, wire.pack(news))
                except OSError:
                    self._drop(self._gate)

    def _drop(self, peer: socket.socket | None) -> None:
        if peer is None or self._peers.pop(peer, None) is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(peer)
        peer.close()
        if peer is self._gate:
            self._gate = None
            self._caller.stand()


def serve(
    path: Path | str,
    on_setpoint: Callable[[Mapping[str, float]], object],
    *,
    axes: Sequence[wire.DeclaredAxis],
    stop_behavior: StopBehavior = "zero",
    on_stop: Callable[[], object] | None = None,
    on_halt: Callable[[], object] | None = None,
    positions: Callable[[], Sequence[float | None]] | None = None,
) -> None:
    """Be called back until Ctrl-C or SIGTERM; arguments and errors as of :class:`Host`."""
    host = Host(
        path,
        on_setpoint,
        axes=axes,
        stop_behavior=stop_behavior,
        on_stop=on_stop,
        on_halt=on_halt,
        positions=positions,
    )
    with host, _until_terminated() as ended:
        ended.wait()


@contextlib.contextmanager
def _until_terminated() -> Generator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set; off the main thread, nothing does."""
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    if threading.current_thread() is not threading.main_thread():
        yield ended
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    mask = os.umask(0o177)
    try:
        _clear(path)
        listener.bind(str(path))
    except OSError as exc:
        listener.close()
        text = f"driver_socket: {path} cannot be opened: {exc}."
        fix = "Choose a shorter path in a folder that you may write to."
        raise ConfigError(Code.CONFIG_INVALID, text, fix) from exc
    finally:
        os.umask(mask)
    listener.listen(MAX_CONNECTIONS)
    return listener


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on any more. Raises :class:`OSError` if somebody does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise FileExistsError("another program listens there")
