"""Who this robot is to its server: a key of its own, and where it has been enrolled."""

import contextlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from farhand.errors import Code, ConfigError
from farhand.keys.signing import ROBOT, SigningKey, key_id
from farhand.protocol.ids import RobotId, ServiceId, is_valid_id

KEY_FILE = "robot-key.pem"
ENROLMENT_FILE = "enrolment.json"
TOKEN_S = 60
MAX_FILE_BYTES = 65_536


class Enrolment(msgspec.Struct, frozen=True, rename="camel"):
    """What a server said when it took the robot in."""

    robot_id: RobotId
    service_id: ServiceId
    server: str
    """Where it is."""
    server_key: str
    """Its public key: who else signs a grant is not believed."""


def read_enrolment(state: Path) -> Enrolment | None:
    """Return the robot's enrolment; ``None``: it has none.

    Raises:
        ConfigError: FH-1001 the file is there but of no use: an enrolled robot must not become one
            that anybody may drive because its file is damaged.

    """
    file = state / ENROLMENT_FILE
    try:
        found = msgspec.json.decode(file.read_bytes()[:MAX_FILE_BYTES], type=Enrolment)
        key_id(found.server_key)
        if not (is_valid_id(found.robot_id) and is_valid_id(found.service_id)):
            raise ValueError("an id in it is none")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.DecodeError) as exc:
        text = f"{file} cannot be used: {exc}."
        fix = "Enrol again: farhand agent leave, then farhand agent join URL."
        raise ConfigError(Code.CONFIG_INVALID, text, fix) from exc
    return found


def write_enrolment(state: Path, enrolment: Enrolment) -> None:
    """Store ``enrolment`` for good, readable by this user alone.

    Raises:
        ConfigError: FH-1001 the folder cannot be written.

    """
    file = state / ENROLMENT_FILE
    new = state / f"{ENROLMENT_FILE}.new"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(enrolment)) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
    except OSError as exc:
        text = f"{file} cannot be written: {exc}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Choose another --state.") from exc


def remove_enrolment(state: Path) -> bool:
    """Forget the server; say whether there was one. The robot's key stays."""
    return _remove(state / ENROLMENT_FILE)


def remove_key(state: Path) -> bool:
    """Forget the robot's key, as after it was withdrawn; say whether there was one."""
    return _remove(state / KEY_FILE)


def _remove(file: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
        return True
    return False


class Identity:
    """An enrolled robot, which can prove that it is.

    Args:
        key: The robot's.
        enrolment: Where it belongs.
        wall_s: The robot's wall clock, which may be wrong by hours.

    """

    def __init__(
        self, key: SigningKey, enrolment: Enrolment, *, wall_s: Callable[[], float] = time.time
    ) -> None:
        self.enrolment = enrolment
        self._key = key
        self._wall_s = wall_s
        self._offset_s = 0.0
        self._audience = key_id(enrolment.server_key)

    def token(self) -> str:
        """Return a fresh token for one hello."""
        now_s = self._wall_s() + self._offset_s
        return robot_token(self._key, self.enrolment.robot_id, self._audience, now_s)

    def set_clock(self, server_s: float) -> None:
        """Go by the server's wall clock from now on."""
        self._offset_s = server_s - self._wall_s()


def robot_token(key: SigningKey, subject: str, audience: str, now_s: float) -> str:
    """Return a token by which a robot proves that it holds ``key``.

    Args:
        key: The robot's.
        subject: Its id.
        audience: Id of the server's key.
        now_s: The server's wall clock, as far as known.

    """
    issued = int(now_s)
    claims = {
        "iss": key.id,
        "sub": subject,
        "aud": audience,
        "iat": issued,
        "exp": issued + TOKEN_S,
        "jti": secrets.token_urlsafe(16),
    }
    return key.sign(ROBOT, claims)
