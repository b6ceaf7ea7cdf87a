"""What can go wrong, each with a stable code.

FarhandError               ``.code`` (FH-…), a sentence, what to do
├── ConfigError            the user's file or flag; names the key, the value, the fix
├── ProtocolError
│   ├── LocalProtocolError     our caller's mistake
│   └── RemoteProtocolError    the peer's
├── NotAllowed             known peer, no right
│   └── LeaseDenied            somebody else drives
├── ConnectionClosed       ``.reason``
├── MediaError             a track, codec or transport failed
├── DriverError            the robot did not do it; ``.retryable``
└── StoreError             records or bus out of reach; ``.retryable``
    └── VersionConflict        somebody else has changed it

A code is the same in the console, the CLI, the log and the docs (`docs/errors.md`), and is never
reused.
"""

from enum import StrEnum


class Code(StrEnum):
    """Stable error codes; the docs hold one entry for each."""

    CONFIG_INVALID = "FH-1001"
    PORT_TAKEN = "FH-1002"
    CONSOLE_MISSING = "FH-1003"
    STATE_IN_USE = "FH-1004"
    NO_AUTHENTICATION = "FH-1005"
    TLS_UNUSABLE = "FH-1006"
    CONFIG_UNKNOWN_KEY = "FH-1102"

    ORIGIN_REFUSED = "FH-2001"
    ROLE_REFUSED = "FH-2002"
    RESUME_REFUSED = "FH-2003"
    UNAUTHENTICATED = "FH-2004"
    FORBIDDEN = "FH-2005"
    REVOKED = "FH-2006"
    CODE_USED = "FH-2107"
    CODE_UNKNOWN = "FH-2108"
    NOT_APPROVED_YET = "FH-2109"
    GRANT_REFUSED = "FH-2201"
    FINGERPRINT_MISMATCH = "FH-2202"
    SCOPE_MISSING = "FH-2203"
    ROOM_PASSWORD = "FH-2301"  # noqa: S105 - a code
    ROOM_FULL = "FH-2302"
    ROOM_OVER = "FH-2303"

    MALFORMED = "FH-3001"
    TOO_LARGE = "FH-3002"
    UNKNOWN_TYPE = "FH-3003"
    VERSION = "FH-3004"
    HELLO_FIRST = "FH-3005"
    NOT_IN_ROOM = "FH-3006"
    UNKNOWN_MEMBER = "FH-3007"
    WRONG_OFFERER = "FH-3008"
    WRONG_STATE = "FH-3009"
    TOO_MANY_CANDIDATES = "FH-3010"
    SDP_TOO_LARGE = "FH-3011"
    CANDIDATE_TOO_LARGE = "FH-3012"
    RATE_LIMITED = "FH-3013"
    TOO_MANY_NEGOTIATIONS = "FH-3014"
    REPLACED = "FH-3015"
    SLOW_CONSUMER = "FH-3016"
    KEEPALIVE_TIMEOUT = "FH-3017"
    GOING_AWAY = "FH-3018"
    INVALID_ID = "FH-3019"
    UNKNOWN_ROBOT = "FH-3020"
    UNKNOWN_SERVICE = "FH-3021"
    UNKNOWN_SESSION = "FH-3022"
    TOO_MANY_CONNECTIONS = "FH-3023"
    NOT_FOUND = "FH-3024"
    WRONG_METHOD = "FH-3025"
    CONFLICT = "FH-3026"
    VERSION_CHANGED = "FH-3027"
    NOT_A_SERVICE_INSTALL = "FH-3028"
    WRONG_STATUS = "FH-3029"

    SERVER_UNREACHABLE = "FH-4001"
    PEER_CONNECTION_FAILED = "FH-4002"

    UNKNOWN_CAMERA = "FH-5001"
    SOURCE_FAILED = "FH-5002"
    CODEC_NOT_NEGOTIATED = "FH-5003"
    ENCODER_FAILED = "FH-5004"
    NO_MICROPHONE = "FH-5005"
    NO_FRAMES = "FH-5011"

    DRIVER_FAULT = "FH-6001"
    NO_DEVICE_TIMEOUT = "FH-6002"
    SIM_UNREACHABLE = "FH-6003"

    NOT_HOLDER = "FH-7001"
    REPLAYED = "FH-7002"
    TOO_OLD = "FH-7003"
    FROM_THE_FUTURE = "FH-7004"
    CLOCK_UNKNOWN = "FH-7005"
    BEAT_TOO_OLD = "FH-7006"
    NOT_FINITE = "FH-7007"
    NEUTRAL_FIRST = "FH-7008"
    LATCHED = "FH-7009"
    BAD_FRAME = "FH-7010"
    HELD = "FH-7011"
    WRONG_STOP_ID = "FH-7012"
    GATE_LOST = "FH-7013"
    MAY_NOT_DRIVE = "FH-7014"
    MAY_NOT_RESET = "FH-7015"
    NOTHING_TO_RESET = "FH-7016"
    LATCH_NOT_SAVED = "FH-7017"
    REFUSED_BY_HOLDER = "FH-7018"
    REASON_MISSING = "FH-7019"
    VIDEO_STALE = "FH-7020"
    LOOP_TOO_LONG = "FH-7021"

    STORE_UNREACHABLE = "FH-8001"
    STORE_TOO_NEW = "FH-8002"
    STORE_TOO_OLD = "FH-8003"
    AUDIT_BROKEN = "FH-8004"

    INTERNAL = "FH-9000"


class FarhandError(Exception):
    """Base of all errors that farhand raises on purpose.

    Args:
        code: The stable code.
        text: One sentence: what is wrong.
        fix: What the reader can do about it, or empty.

    """

    def __init__(self, code: Code, text: str, fix: str = "") -> None:
        super().__init__(f"{code} {text}" + (f" {fix}" if fix else ""))
        self.code = code
        self.text = text
        self.fix = fix


class ConfigError(FarhandError):
    """A setting is wrong."""


class ProtocolError(FarhandError):
    """A message breaks the protocol."""


class LocalProtocolError(ProtocolError):
    """Our own caller did something that the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol does not allow."""


class NotAllowed(FarhandError):  # noqa: N818 — says what is wrong, as style asks
    """The peer is known but has no right to do this."""


class LeaseDenied(NotAllowed):
    """Somebody else drives the robot.

    Args:
        holder_name: Who drives, as shown on screens.

    """

    def __init__(self, code: Code, text: str, holder_name: str = "") -> None:
        super().__init__(code, text)
        self.holder_name = holder_name


class ConnectionClosed(FarhandError):  # noqa: N818 — as above
    """The connection is gone."""


class MediaError(FarhandError):
    """A track, codec or transport failed."""


class DriverError(FarhandError):
    """The robot did not do it.

    Args:
        retryable: Whether the same call may succeed later.

    """

    def __init__(self, code: Code, text: str, *, retryable: bool = False) -> None:
        super().__init__(code, text)
        self.retryable = retryable


class StoreError(FarhandError):
    """Records or the bus are out of reach.

    Args:
        retryable: Whether the same call may succeed later.

    """

    def __init__(self, code: Code, text: str, *, retryable: bool = True) -> None:
        super().__init__(code, text)
        self.retryable = retryable


class VersionConflict(StoreError):  # noqa: N818 — as above
    """A record is not the version that was to be replaced."""

    def __init__(self, text: str = "Somebody else has changed it meanwhile.") -> None:
        super().__init__(Code.VERSION_CHANGED, text, retryable=False)
