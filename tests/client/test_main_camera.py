"""Which pictures count as what the driver steers by."""

from types import SimpleNamespace
from typing import Any, cast

from farhand.client.robot import Robot
from farhand.media.aiortc_.viewer import Picture
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, MemberId, RobotId
from farhand.protocol.manifest import Camera, Manifest


async def test_a_camera_beside_the_main_one_does_not_make_its_picture_newer() -> None:
    rear, front = CameraId("rear"), CameraId("front")
    cameras = (Camera(rear, "Rear", 64, 48, 5), Camera(front, "Front", 64, 48, 5, main=True))
    manifest = Manifest(RobotId("rover"), "rover", cameras=cameras)
    member = m.Member(MemberId("r"), "robot", "rover")
    robot = Robot(member, manifest, MemberId("me"), lambda _: True, ())

    def show(camera: CameraId, stamp_us: int) -> int:
        picture = Picture(camera, 1, cast(Any, None))
        robot._on_picture(picture, m.FrameEntry(1, stamp_us, Epoch(0), 0))
        return robot.setpoints.seen_us

    try:
        robot.session = cast(Any, SimpleNamespace(cameras=(rear, front)))
        assert show(rear, 5_000) == 0
        assert show(front, 3_000) == 3_000
        assert show(rear, 9_000) == 3_000
        robot.session = cast(Any, SimpleNamespace(cameras=(rear,)))
        assert show(rear, 10_000) == 10_000, "who watches no other steers by it"
    finally:
        robot._ticker.cancel()
