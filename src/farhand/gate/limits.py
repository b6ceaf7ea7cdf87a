"""Limits from the robot's configuration: they lower what the driver declares, never raise it."""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from farhand.drivers.base import AxisLimits
from farhand.errors import Code, ConfigError

Overrides = dict[str, dict[str, float]]
RANGE = ("position_minimum", "position_maximum")
KEYS = ("minimum", "maximum", "acceleration", "deceleration", "jerk", *RANGE)


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
        if not _is_lower(key, value, own):
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"limits.{axis.id}.{key}: {value} is not within the driver's own {own}.",
                "Limits can only be lowered.",
            )
    lowered = replace(
        axis,
        minimum=override.get("minimum", axis.minimum),
        maximum=override.get("maximum", axis.maximum),
        acceleration=override.get("acceleration", axis.acceleration),
        deceleration=override.get("deceleration", axis.deceleration),
        jerk=override.get("jerk", axis.jerk),
        position_minimum=override.get("position_minimum", axis.position_minimum),
        position_maximum=override.get("position_maximum", axis.position_maximum),
    )
    low, high = lowered.position_minimum, lowered.position_maximum
    if low is not None and high is not None and low >= high:
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"limits.{axis.id}: no position is between {low} and {high}.",
            "Lower limits must leave the axis some way.",
        )
    return lowered


def _is_lower(key: str, value: float, own: float | None) -> bool:
    if key in RANGE:
        # An axis without limits takes any: from where it has none, each is narrower.
        is_narrower = {"position_minimum": operator.ge, "position_maximum": operator.le}[key]
        return math.isfinite(value) and (own is None or is_narrower(value, own))
    if own is None:
        return False
    if key == "minimum":
        return own <= value <= 0
    return 0 <= value <= own and (value > 0 or key == "maximum")
