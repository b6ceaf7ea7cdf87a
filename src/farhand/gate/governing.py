"""What ``--governor`` says: numbers of :class:`GovernorConfig` by name."""

import msgspec

from farhand.core.governor_config import BOUNDS, GovernorConfig
from farhand.errors import Code, ConfigError


def parse_governor(text: str) -> GovernorConfig:
    """Return the governor's numbers: ``{"blind_cap": 0.3}``.

    Raises:
        ConfigError: Not such an object, or a number out of its bounds.

    """
    try:
        given = msgspec.json.decode(text.encode() or b"{}", type=dict[str, float])
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise ConfigError(
            Code.CONFIG_INVALID, f"governor: {exc}.", 'Write it like {"blind_cap": 0.3}.'
        ) from exc
    for name in given:
        if name not in BOUNDS:
            known = f"Known: {', '.join(BOUNDS)}."
            raise ConfigError(Code.CONFIG_INVALID, f"governor: unknown {name!r}.", known)
    try:
        return msgspec.convert(given, GovernorConfig, strict=False)
    except (msgspec.ValidationError, ValueError) as exc:
        raise ConfigError(
            Code.CONFIG_INVALID, f"governor: {exc}.", "See the governor in docs/safety.md."
        ) from exc
