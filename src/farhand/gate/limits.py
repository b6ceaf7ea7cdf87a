"""Limits from the robot's configuration: they lower what the driver declares, never raise it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from farhand.drivers.base import AxisLimits
from farhand.errors import Code, ConfigError

Overrides = dict[str, dict[str, float]]
KEYS = ("minimum", "maximum", "acceleration", "deceleration", "jerk")


def parse_overrides(text: str) -> Overrides:
    """Return what ``--limits`` says: ``{"linear.x": {"maximum": 0.5}}``.

    Raises:
        ConfigError: Not such an object.

    """
    try:
        return msgspec.json.decode(text.encode() or b"{}", type=Overrides)
    except msgspec.DecodeError as exc:
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"limits: {exc}.",
            'Write them like {"linear.x": {"maximum": 0.5}}.',
        ) from exc


def lower(
    axes: Sequence[AxisLimits], overrides: Mapping[str, Mapping[str, float]]
) -> list[AxisLimits]:
    """Return the driver's limits with those of the configuration where they are lower.

    Raises:
        ConfigError: An axis or limit that does not exist, or one that would be raised.

    """
    known = {axis.id for axis in axes}
    for name in overrides:
        if name not in known:
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"limits: the driver has no axis {name!r}.",
                f"It has: {', '.join(sorted(known))}.",
            )
    return [_lower_one(axis, overrides.get(axis.id, {})) for axis in axes]


def _lower_one(axis: AxisLimits, override: Mapping[str, float]) -> AxisLimits:
    for key, value in override.items():
        if key not in KEYS:
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"limits.{axis.id}: unknown limit {key!r}.",
                f"Known: {', '.join(KEYS)}.",
            )
        own = getattr(axis, key)
        is_lower = own <= value <= 0 if key == "minimum" else 0 <= value <= own
        is_lower = is_lower and (value > 0 or key in {"minimum", "maximum"})
        if not is_lower:
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"limits.{axis.id}.{key}: {value} is not within the driver's own {own}.",
                "Limits can only be lowered.",
            )
    return replace(
        axis,
        minimum=override.get("minimum", axis.minimum),
        maximum=override.get("maximum", axis.maximum),
        acceleration=override.get("acceleration", axis.acceleration),
        deceleration=override.get("deceleration", axis.deceleration),
        jerk=override.get("jerk", axis.jerk),
    )
