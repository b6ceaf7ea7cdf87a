"""The program on the robot, as far as it can be managed from here.

No agent is installed as a service of its machine yet, so there is nobody on the robot who could
start or update it; the verbs say so.
"""

from typing import Any, Literal

from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import View
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.robots import WhereQuery, found

VERBS = ("start", "stop", "restart", "update")


class AgentView(View, frozen=True):
    """The program on a robot."""

    robot_id: str
    state: Literal["running", "unknown"]
    """It runs if it is connected."""
    software: str
    """Its version, as it says itself."""
    architecture: str
    installed: bool
    """Whether it is a service of its machine: whether the verbs work."""


async def read_agent(call: Call[Any, WhereQuery]) -> Answer:
    """Return what is known of the program on a robot."""
    robot = found(call)
    online = call.context.gateway.hub.robot(robot.service_id, robot.id)
    return Answer(
        AgentView(
            robot_id=robot.id,
            state="running" if online else "unknown",
            software=online.manifest.software if online else robot.software,
            architecture=robot.architecture,
            installed=False,
        )
    )


async def manage_agent(call: Call[Any, WhereQuery]) -> Answer:
    """Start, stop, restart or update the program on a robot, where it is installed as a service."""
    robot = found(call, manage=True)
    deed = call.deed(
        f"agent.{call.path('verb')}",
        result=Code.NOT_A_SERVICE_INSTALL,
        service_id=robot.service_id,
        robot_id=robot.id,
    )
    if call.path("verb") not in VERBS:
        raise Problem(404, Code.NOT_FOUND, "There is no such verb.", ", ".join(VERBS))
    await call.context.store.audit(deed)
    raise Problem(
        409,
        Code.NOT_A_SERVICE_INSTALL,
        "The robot's agent is not installed as a service.",
        "Do it on the robot.",
    )


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/robot/{robot_id}/agent", "Robots"
    example = AgentView(
        robot_id="rover-1",
        state="running",
        software="farhand 0.1.0",
        architecture="arm64",
        installed=False,
    )
    api.add(
        "GET", path, read_agent, tag=tag, query=WhereQuery, answer=AgentView, example=example
    )  # fmt: skip
    api.add(
        "POST", f"{path}/{{verb}}", manage_agent, tag=tag, query=WhereQuery, answer=AgentView,
        example=example,
    )  # fmt: skip
