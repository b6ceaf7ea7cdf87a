"""Which video peers can run here, and the set-up of the one that PyPI does not have.

``python -m farhand.kits.bench.peers.presence`` installs what is missing; ``make bench`` runs it.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

VIDEO_PEERS = ("aiortc_stock", "webrtcbin", "libwebrtc")

SYSTEM_PYTHON = "/usr/bin/python3"
"""The one that the distribution's bindings of GStreamer are for."""
GSTREAMER_CHILD = Path(__file__).with_name("webrtcbin_child.py")
GSTREAMER_PACKAGES = (
    "gir1.2-gst-plugins-bad-1.0",
    "gir1.2-gst-plugins-base-1.0",
    "gstreamer1.0-nice",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-ugly",
    "python3-gi",
)


def gstreamer_version() -> str | None:
    """Return GStreamer's version when all that the peer needs is there."""
    if not Path(SYSTEM_PYTHON).exists():
        return None
    asked = [SYSTEM_PYTHON, "-I", str(GSTREAMER_CHILD), "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def absent(name: str) -> str | None:
    """Return why a video peer cannot run here, or ``None`` when it can."""
    if name == "webrtcbin" and gstreamer_version() is None:
        return "absent: GStreamer's packages are not installed; `make bench` does it on Debian"
    if name == "libwebrtc" and importlib.util.find_spec("webrtc") is None:
        return "absent: not installed; pip install 'farhand[bench]'"
    return None


def versions() -> dict[str, str]:
    """Return the versions of peers that are no Python packages."""
    gstreamer = gstreamer_version()
    return {} if gstreamer is None else {"gstreamer": gstreamer}


def install() -> None:
    """Install GStreamer from Debian's packages, as root or by a sudo that does not ask.

    Says on standard error what it does, or why it cannot. Idempotent.
    """
    if gstreamer_version() is not None:
        return
    if shutil.which("apt-get") is None:
        sys.stderr.write("The peer webrtcbin is left out: no apt here.\n")
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (shutil.which("sudo") is None or subprocess.call([*sudo, "true"]) != 0):
        sys.stderr.write("The peer webrtcbin is left out: neither root nor sudo.\n")
        return
    sys.stderr.write(f"Installing for the peer webrtcbin: {' '.join(GSTREAMER_PACKAGES)}\n")
    get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    options = ["install", "-y", "-qq", "--no-install-recommends"]
    for command in ([*get, "update", "-qq"], [*get, *options, *GSTREAMER_PACKAGES]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.stderr.write(f"The peer webrtcbin is left out: {done.stderr.strip()[-300:]}\n")
            return


if __name__ == "__main__":
    install()
