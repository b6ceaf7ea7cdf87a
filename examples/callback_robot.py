"""A robot of your own in thirty lines: farhand calls `move`, and `move` moves it.

This one is a point on a plane that says where it is. Put your motors' calls in its place.
"""

import math
import sys
import time
from collections.abc import Mapping

from farhand.robot import serve, twist

x = y = heading = 0.0
moved_at = said_at = time.monotonic()


def move(rates: Mapping[str, float]) -> None:
    """Do what the driver's hand says, until the next call; all zeros mean: stand still."""
    global x, y, heading, moved_at, said_at  # noqa: PLW0603 - an example without a class
    now = time.monotonic()
    heading += rates["angular.z"] * (now - moved_at)
    x += rates["linear.x"] * math.cos(heading) * (now - moved_at)
    y += rates["linear.x"] * math.sin(heading) * (now - moved_at)
    moved_at = now
    if now - said_at > 1.0:
        said_at = now
        print(f"x {x:.2f} m  y {y:.2f} m  heading {math.degrees(heading):.0f}°", flush=True)


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else "robot.sock"
    serve(path, move, axes=twist(linear_x=0.5, angular_z=1.2))
