"""Network namespaces and TUN devices: what Python 3.11 has no functions for. Linux, root."""

import contextlib
import ctypes
import fcntl
import os
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

OWN = "/proc/thread-self/ns/net"
TUN = "/dev/net/tun"

# linux/if_tun.h, linux/sched.h, linux/prctl.h
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_PR_SET_TIMERSLACK = 29


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def new_namespace() -> int:
    """Return a descriptor of a new network namespace; this thread stays where it is.

    The namespace lives as long as the descriptor, or a process in it.

    Raises:
        OSError: Not allowed (CAP_SYS_ADMIN).

    """
    with _returning():
        _call("unshare", _CLONE_NEWNET)
        return os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def entered(namespace: int) -> Iterator[None]:
    """Put this thread, and every thread and process that it starts meanwhile, in ``namespace``.

    Raises:
        OSError: Not allowed (CAP_SYS_ADMIN).

    """
    with _returning():
        _call("setns", namespace, _CLONE_NEWNET)
        yield


@contextlib.contextmanager
def _returning() -> Iterator[None]:
    home = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _call("setns", home, _CLONE_NEWNET)
        os.close(home)


def open_tun(device: str) -> int:
    """Return a non-blocking descriptor of a new TUN device in this thread's namespace.

    Raises:
        OSError: There is no /dev/net/tun, or it is not allowed (CAP_NET_ADMIN).

    """
    tun = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        request = struct.pack("16sH", device.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(tun, _TUNSETIFF, request)
    except OSError:
        os.close(tun)
        raise
    return tun


def set_addresses(device: str, own: str, other: str) -> None:
    """Bring up loopback and ``device``, a point-to-point link from ``own`` to ``other``.

    Raises:
        OSError: The program ip is missing or failed.

    """
    batch = f"""link set lo up
addr add {own} peer {other} dev {device}
link set {device} addrgenmode none
link set {device} txqueuelen 1000 up
"""  # no IPv6, which chats about routers; no default route: what asks for the world fails at once
    done = subprocess.run(
        ["ip", "-batch", "-"], input=batch, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise OSError(f"ip: {done.stderr.strip()}")


def be_prompt() -> bool:
    """Ask for exact timers and to run before everything else; say whether both were granted."""
    _call("prctl", _PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
    except OSError:  # CAP_SYS_NICE
        return False
    return True


def kill_all_in(namespace: int, *, but: set[int]) -> None:
    """Kill every process whose network is ``namespace``."""
    wanted = os.fstat(namespace)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) in but:
            continue
        with contextlib.suppress(OSError):
            found = (entry / "ns" / "net").stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                os.kill(int(entry.name), signal.SIGKILL)
