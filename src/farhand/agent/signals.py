"""Instructions to the robot (`signal`): rooms and media, each answered, refused with a code."""

from collections.abc import Callable

from farhand.agent.people import Person
from farhand.agent.sessions import Sessions
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, RoomId, is_valid_id
from farhand.protocol.manifest import Manifest


class Signals:
    """Carries out instructions.

    Args:
        sessions: Whose cameras are started and stopped.
        manifest: The robot's declaration.
        join: Enters another room.
        leave: Leaves the room.

    """

    def __init__(
        self,
        sessions: Sessions,
        manifest: Manifest,
        *,
        join: Callable[[RoomId], None],
        leave: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._manifest = manifest
        self._join = join
        self._leave = leave

    def from_server(self, message: m.Signal) -> m.SignalResult:
        """Carry out an instruction of the server itself, and return the answer."""
        return self._do(message)

    def receive(
        self, person: Person, message: m.Signal, answer: Callable[[Person, m.SignalResult], None]
    ) -> None:
        """Carry out a member's instruction, if they may give it, and ``answer``."""
        if "control" not in person.scopes:
            text = "Only who may drive may instruct the robot."
            answer(person, m.SignalResult(message.id, Code.ROLE_REFUSED, text))
        elif message.action == "leave-room":
            # Answer before the room that carries the answer is gone.
            answer(person, m.SignalResult(message.id))
            self._leave()
        else:
            answer(person, self._do(message))

    def _do(self, message: m.Signal) -> m.SignalResult:
        match message.action:
            case "start-media" | "stop-media":
                return self._media(message)
            case "join-room":
                if message.room is None or not is_valid_id(message.room):
                    return m.SignalResult(message.id, Code.INVALID_ID, "That is no room.")
                self._join(message.room)
            case "leave-room":
                self._leave()
        return m.SignalResult(message.id)

    def _media(self, message: m.Signal) -> m.SignalResult:
        if message.microphone:
            return m.SignalResult(message.id, Code.NO_MICROPHONE, "The robot has no microphone.")
        known = [camera.id for camera in self._manifest.cameras]
        if message.camera is not None and message.camera not in known:
            return m.SignalResult(message.id, Code.UNKNOWN_CAMERA, "There is no such camera.")
        cameras: list[CameraId] = known if message.camera is None else [message.camera]
        for camera in cameras:
            if message.action == "start-media":
                self._sessions.start_camera(camera)
            else:
                self._sessions.stop_camera(camera)
        return m.SignalResult(message.id)
