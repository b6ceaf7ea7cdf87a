"""The operator's side in Python: ``async with connect(url, name="ana") as client: ...``."""

from farhand.client.connection import Client, connect
from farhand.client.robot import Robot
from farhand.client.robots import RobotInfo

__all__ = ["Client", "Robot", "RobotInfo", "connect"]
