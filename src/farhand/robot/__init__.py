"""The robot's side in Python: your callback moves it, farhand's gate says how fast.

``serve("robot.sock", move, axes=twist(linear_x=0.5, angular_z=1.2))``
"""

from farhand.robot.axes import Axis, axis, joint, twist
from farhand.robot.host import Host, serve

__all__ = ["Axis", "Host", "axis", "joint", "serve", "twist"]
