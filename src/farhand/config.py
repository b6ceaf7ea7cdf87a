"""One table of settings: names, defaults, units and what they mean.

Highest first: flags, ``FARHAND_SECTION__NAME`` in the environment, ``./farhand.toml`` (or the file
of ``--config``), the user's ``config.toml``, ``/etc/farhand/config.toml``, the defaults.  Only
``cli/`` reads this; programs get plain arguments.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from farhand.errors import Code, ConfigError

PREFIX = "FARHAND_"
NO_SETTINGS = frozenset(
    {
        "FARHAND_BAD_NETWORK_FILE",
        "FARHAND_DIE_WITH_PARENT",
        "FARHAND_GATEWAY",
        "FARHAND_LAN_CODE_FILE",
        "FARHAND_PROOF_EXAMPLES",
        "FARHAND_PROOF_STEPS",
        "FARHAND_SERVER_URL",
        "FARHAND_TOKEN",
    }
)
"""Variables of the prefix that are no settings: of tests, child processes, and of the verbs that
talk to a server."""

Tree = dict[str, Any]


class Section(BaseModel):
    """A table of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class OidcTable(Section):
    """One OpenID provider that people may log in with."""

    name: str
    """On the button."""
    issuer: str
    """Its URL; ``/.well-known/openid-configuration`` must be below it."""
    client_id: str
    """Ours there."""
    client_secret_file: Path | None = None
    """File with our secret there; none: a public client."""
    role: Literal["viewer", "operator", "supervisor"] = "viewer"
    """Role of people who log in for the first time, on the default service."""


class LimitsTable(Section):
    """How much one address, account or robot may ask; ``60/minute`` as in the library `limits`."""

    api_per_address: str = "1200/minute"
    """REST requests of one address."""
    api_per_account: str = "2400/minute"
    """REST requests of one account or token."""
    login_per_address: str = "10/minute"
    """Failed logins and codes of one address; the same, apart, of its requests with a bad token."""
    login_per_account: str = "5/minute"
    """Failed logins to one account from one address."""
    login_anywhere: str = "100/minute"
    """Failed logins to one account from all addresses where it is not logged in now."""
    enrol_per_address: str = "10/minute"
    """Enrolment requests of one address."""
    strangers_per_address: Annotated[int, Field(ge=1)] = 20
    """Sockets of one address that have not said hello yet."""
    connections: Annotated[int, Field(ge=1)] = 20_000
    """Sockets in all."""


class ServerSection(Section):
    """What `farhand serve` needs."""

    host: str = "localhost"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port; 0: any free one."""
    origins: tuple[str, ...] = ()
    """Origins besides our own whose pages may connect."""
    state: Path = Path("farhand-state")
    """Folder of the server's own state."""
    console_dir: Path | None = None
    """Folder of another build of the console."""
    root_path: str = ""
    """Path prefix behind a proxy, such as /robots."""
    auth: Literal["open", "accounts"] = "open"
    """open: whoever reaches the port may drive; accounts: people and robots prove who they are."""
    insecure: bool = False
    """Listen beyond loopback although auth is open."""
    database: str = ""
    """URL of a PostgreSQL database; empty: SQLite, farhand.db in the state folder."""
    tls_cert: Path | None = None
    """Certificate chain (PEM); with tls_key the server speaks https itself."""
    tls_key: Path | None = None
    """Private key (PEM) of tls_cert; both are read again when they change."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For and -Proto are believed."""
    public_url: str = ""
    """Where people reach the server, for links and QR codes; empty: guessed from the request."""
    login_ttl_s: Annotated[int, Field(ge=60)] = 12 * 3600
    """How long a login lasts."""
    webhook_networks: tuple[str, ...] = ()
    """Private networks that webhooks may be posted to all the same."""
    status_keep_s: Annotated[int, Field(ge=0)] = 24 * 3600
    """How long status samples are kept."""
    event_keep_s: Annotated[int, Field(ge=0)] = 30 * 24 * 3600
    """How long events are kept."""
    ice_servers: tuple[str, ...] = ()
    """STUN servers that members are told of: stun:stun.example.org:3478."""
    oidc: tuple[OidcTable, ...] = ()
    """OpenID providers."""
    limits: LimitsTable = LimitsTable()
    """Rates and bounds."""


class CameraTable(Section):
    """One camera of a robot."""

    id: str
    """Name in the manifest."""
    source: str
    """sim:front, file:CLIP, rtsp://…, v4l2:/dev/video0, pattern:"""
    label: str = ""
    """Name on screens; empty: the id."""
    width: Annotated[int, Field(ge=16, le=7680)] = 640
    """Pixels."""
    height: Annotated[int, Field(ge=16, le=4320)] = 480
    """Pixels."""
    fps: Annotated[float, Field(gt=0, le=240)] = 30.0
    """Pictures a second."""
    bitrate_bps: Annotated[int, Field(ge=0)] = 0
    """The most that one viewer is sent, in bit/s; 0: by the size."""


class AxisLimitsTable(Section):
    """Limits of one axis, in its unit. They can only lower what the driver declares."""

    minimum: Annotated[float, Field(le=0)] | None = None
    """Lowest rate."""
    maximum: Annotated[float, Field(ge=0)] | None = None
    """Highest rate."""
    acceleration: Annotated[float, Field(gt=0)] | None = None
    """Largest change of the rate per second, away from zero."""
    deceleration: Annotated[float, Field(gt=0)] | None = None
    """Largest change of the rate per second, towards zero; a stop does not wait for it."""
    jerk: Annotated[float, Field(gt=0)] | None = None
    """Largest change of the acceleration per second."""
    position_minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Where the axis must not go below, in m or rad."""
    position_maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Where it must not go above."""


class GovernorTable(Section):
    """How much slower a slow loop makes the robot. Nobody remote can change it."""

    t_ref_ms: Annotated[int, Field(ge=20, le=2_000)] = 200
    """Loop latency up to which nothing is lowered; beyond it the speed falls as one over it."""
    t_stop_ms: Annotated[int, Field(ge=100, le=10_000)] = 1_000
    """Loop latency beyond which the robot stands; not below t_ref_ms."""
    stale_video_ms: Annotated[int, Field(ge=100, le=5_000)] = 500
    """So long without a new picture shown, and whoever drives by the picture cannot move."""
    blind_distance_m: Annotated[float, Field(ge=0.001, le=100)] | None = None
    """How far the base may go before its driver can see it, in metres; in place of t_ref_ms."""
    blind_cap: Annotated[float, Field(ge=0.01, le=1)] = 0.2
    """Part of the speed for whoever drives without pictures."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.t_stop_ms < self.t_ref_ms:
            raise ValueError("t_stop_ms must not be less than t_ref_ms")
        return self


class LeaseTable(Section):
    """How control of the robot changes hands."""

    on_silence: Literal["refuse", "grant"] = "refuse"
    """What a question for control comes to when whoever drives does not answer."""
    ask_s: Annotated[float, Field(ge=1, le=300)] = 15
    """How long they may think about it."""
    idle_release_s: Annotated[float, Field(ge=0, le=86_400)] = 60
    """After so long without motion they lose control; 0: never."""
    idle_warning_s: Annotated[float, Field(gt=0, le=86_400)] = 45
    """After so long everybody sees that they will; less than idle_release_s."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.idle_release_s and self.idle_warning_s >= self.idle_release_s:
            raise ValueError("idle_warning_s must be less than idle_release_s")
        return self


class AgentSection(Section):
    """What `farhand agent run` and the gate that it starts need."""

    server: str = "http://localhost:8080"
    """The server's address."""
    service: str = "default"
    """The service to join."""
    robot_id: str = "robot"
    """The robot's id."""
    name: str = ""
    """The robot's name on screens; empty: its id."""
    driver: Literal["sim", "null", "callbacks"] = "null"
    """What moves: sim, null, or callbacks of your own program."""
    cameras: tuple[CameraTable, ...] = ()
    """The robot's cameras; the first is shown large."""
    limits: dict[str, AxisLimitsTable] = {}
    """Lower limits by axis."""
    max_age_ms: Annotated[int, Field(ge=20, le=400)] = 150
    """Oldest command that is obeyed, in milliseconds."""
    enrolment_file: Path | None = None
    """File with an enrolment code or key, used when the robot is not enrolled yet."""
    offline_grace_s: Annotated[float, Field(ge=0)] = 600
    """How long an enrolled robot keeps its sessions without the server."""
    unlatch_on_grant: bool = False
    """The first grant clears the start latch: simulated robots only."""
    accept_no_device_timeout: bool = False
    """Take a device that never stops by itself."""
    state: Path = Path("farhand-state")
    """Folder of the epoch and the stop latch."""
    gate_socket: Path | None = None
    """The gate's socket; default: gate.sock in the state folder."""
    sim_socket: Path | None = None
    """The simulator's socket."""
    driver_socket: Path | None = None
    """The socket on which your own program listens, for callbacks."""
    lease: LeaseTable = LeaseTable()
    """How control changes hands."""
    governor: GovernorTable = GovernorTable()
    """How much slower a slow loop makes the robot."""


class Settings(BaseSettings):
    """All settings, from all places."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    server: ServerSection = ServerSection()
    agent: AgentSection = AgentSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` merged, so that each error can say where a value came from."""
        return (init_settings,)


def default_files() -> list[Path]:
    """Return where configuration is looked for, highest first."""
    user = Path(platformdirs.user_config_dir("farhand"), "config.toml")
    return [Path("farhand.toml"), user, Path("/etc/farhand/config.toml")]


def load(
    flags: Mapping[str, Mapping[str, Any]] | None = None, file: Path | None = None
) -> Settings:
    """Return the settings from all places.

    Args:
        flags: What stood on the command line, by section; ``None`` values count as not given.
        file: Read this instead of ``./farhand.toml``; it must be there.

    Raises:
        ConfigError: FH-1102 an unknown key, FH-1001 a value that cannot be or a file that cannot
            be read.

    """
    return merged_from(sources(flags, file))


def check_file(file: Path) -> None:
    """Check one file alone.

    Raises:
        ConfigError: FH-1102 an unknown key, FH-1001 a value that cannot be or a file that cannot
            be read.

    """
    merged_from([(str(file), _read(file))])


def sources(
    flags: Mapping[str, Mapping[str, Any]] | None = None, file: Path | None = None
) -> list[tuple[str, Tree]]:
    """Return what each place says, highest first; arguments and errors as of `load`."""
    given = {
        name: {key: value for key, value in section.items() if value is not None}
        for name, section in (flags or {}).items()
    }
    files = default_files()
    if file is not None:
        if not file.is_file():
            raise ConfigError(Code.CONFIG_INVALID, f"There is no file {file}.", "See --config.")
        files[0] = file
    places: list[tuple[str, Tree]] = [("the command line", given)]
    places.append(("the environment", _environment()))
    return places + [(str(path), _read(path)) for path in files if path.is_file()]


def merged_from(places: Sequence[tuple[str, Tree]]) -> Settings:
    """Return the settings of ``places``, highest first; errors as of `load`."""
    merged: Tree = {}
    for _, tree in reversed(places):
        merged = _merge(merged, tree)
    try:
        return Settings(**merged)
    except ValidationError as exc:
        raise _explain(exc, places) from exc


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(Code.CONFIG_INVALID, f"{path}: {exc}.") from exc


def _environment() -> Tree:
    known = list(Settings.model_fields)
    for variable in os.environ:
        if not variable.upper().startswith(PREFIX) or variable in NO_SETTINGS:
            continue
        section = variable[len(PREFIX) :].lower().partition("__")
        if section[0] not in known or not section[2]:  # pydantic-settings passes these silently
            names = [f"{PREFIX}{s}__{key}".upper() for s in known for key in _keys((s,))]
            raise _unknown(variable, "the environment", names)
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as exc:
        raise ConfigError(Code.CONFIG_INVALID, f"{exc} (the environment).") from exc


def _merge(low: Tree, high: Tree) -> Tree:
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _explain(exc: ValidationError, places: Sequence[tuple[str, Tree]]) -> ConfigError:
    error = exc.errors()[0]
    path = tuple(error["loc"])
    name = ".".join(map(str, path))
    origin = origin_of(path, places) or "the settings"
    if error["type"] == "extra_forbidden":
        return _unknown(
            name, origin, [".".join((*map(str, path[:-1]), k)) for k in _keys(path[:-1])]
        )
    given = error["input"]
    value = f" = {given!r}" if isinstance(given, str | int | float) else ""
    return ConfigError(Code.CONFIG_INVALID, f"{name} ({origin}){value}: {error['msg']}.")


def _unknown(name: str, origin: str, known: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    fix = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."
    return ConfigError(Code.CONFIG_UNKNOWN_KEY, f"Unknown key `{name}` ({origin}).", fix)


def origin_of(path: Sequence[int | str], places: Sequence[tuple[str, Tree]]) -> str:
    """Return the place that the value at ``path`` comes from; empty: it is the default."""
    return next((place for place, tree in places if _has(tree, path)), "")


def _has(tree: object, path: Sequence[int | str]) -> bool:
    for key in path:
        entries: Any = tree
        if isinstance(tree, list | tuple):
            entries = dict(enumerate(tree))
        if not isinstance(entries, dict) or key not in entries:
            return False
        tree = entries[key]
    return True


def _keys(path: Sequence[int | str]) -> list[str]:
    """Return the keys that may stand in the table at ``path``."""
    tables: dict[str, type[BaseModel]] = {
        "server": ServerSection,
        "server.oidc": OidcTable,
        "server.limits": LimitsTable,
        "agent": AgentSection,
        "agent.cameras": CameraTable,
        "agent.limits": AxisLimitsTable,
        "agent.lease": LeaseTable,
        "agent.governor": GovernorTable,
    }
    table = tables.get(".".join(map(str, path[:2])), Settings)
    return list(table.model_fields)
