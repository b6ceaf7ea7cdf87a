"""One webrtcbin pipeline under the system's Python; imports nothing of farhand.

Reads JSON lines: ``frame`` (one lies in the shared memory), ``answer``, ``candidate``. Writes
``offer`` and ``candidate``. Ends with its standard input. ``--version`` says GStreamer's, and fails
when an element is missing.
"""

import argparse
import json
import mmap
import sys
from typing import Any

MISSING: str | None = None
try:
    import gi

    for module in ("Gst", "GstSdp", "GstWebRTC"):
        gi.require_version(module, "1.0")
    from gi.repository import Gst, GstSdp, GstWebRTC
except (ImportError, ValueError) as exc:  # no bindings, or none of this module
    MISSING = str(exc)

ELEMENTS = ("webrtcbin", "x264enc", "rtph264pay", "nicesrc", "dtlssrtpenc", "srtpenc", "sctpenc")
SSRC = 20_240
PAYLOAD = 96

# ssrc stands twice: without both the offer names no ssrc that the packets have, and Chromium shows
# nothing.
CAMERA = """
appsrc name=camera is-live=true format=time do-timestamp=true
  caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1
! x264enc tune=zerolatency speed-preset=ultrafast bframes=0 key-int-max=3000 bitrate={kbps}
! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au
! rtph264pay aggregate-mode=zero-latency config-interval=-1 pt={payload} ssrc={ssrc}
! capsfilter
  caps=application/x-rtp,media=video,encoding-name=H264,payload={payload},ssrc=(uint){ssrc}
"""


def say(message: dict[str, Any]) -> None:
    """Write one line; called from GStreamer's threads too."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Connection:
    """The pipeline, its camera and its viewer."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.size = arguments.width * arguments.height * 3 // 2
        self.frames = None if arguments.frames is None else mmap.mmap(arguments.frames, 0)
        self.pipeline = Gst.Pipeline.new()
        self.peer = Gst.ElementFactory.make("webrtcbin")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.peer.set_property("latency", 0)
        self.pipeline.add(self.peer)
        self.camera: Any = None
        self.is_connected = False
        self.peer.connect("on-ice-candidate", self._tell_candidate)
        self.peer.connect("notify::connection-state", self._changed)
        if not arguments.data_only:
            self._add_camera(arguments)
        self.pipeline.set_state(Gst.State.PLAYING)
        options = Gst.Structure.from_string("o,ordered=false,max-retransmits=(int)0")[0]
        self.channel = self.peer.emit("create-data-channel", "echo", options)
        self.channel.connect(
            "on-message-data", lambda channel, data: channel.emit("send-data", data)
        )
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def obey(self, message: dict[str, Any]) -> None:
        """Do what a line says."""
        if message["type"] == "frame":
            self._push(message["slot"])
        elif message["type"] == "answer":
            _, parsed = GstSdp.SDPMessage.new_from_text(message["sdp"])
            kind = GstWebRTC.WebRTCSDPType.ANSWER
            answer = GstWebRTC.WebRTCSessionDescription.new(kind, parsed)
            self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        else:
            found = message["candidate"]
            self.peer.emit("add-ice-candidate", found["sdpMLineIndex"], found["candidate"])

    def _add_camera(self, arguments: argparse.Namespace) -> None:
        values = {"kbps": arguments.bitrate // 1000, "payload": PAYLOAD, "ssrc": SSRC}
        text = CAMERA.format(**vars(arguments), **values)
        source = Gst.parse_bin_from_description(text, True)
        self.camera = source.get_by_name("camera")
        self.pipeline.add(source)
        source.link(self.peer)
        transceiver = self.peer.emit("get-transceiver", 0)
        # Before the offer: the pad's own default is SENDRECV.
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        transceiver.set_property("do-nack", True)

    def _push(self, slot: int) -> None:
        # Frames from before the connection would wait in webrtcbin and arrive old.
        if self.is_connected and self.frames is not None:
            data = self.frames[slot * self.size : (slot + 1) * self.size]
            self.camera.emit("push-buffer", Gst.Buffer.new_wrapped(data))

    def _changed(self, peer: Any, _: Any) -> None:
        state = peer.get_property("connection-state")
        self.is_connected = state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED

    def _offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # owns the offer
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        say({"type": "offer", "sdp": offer.sdp.as_text()})

    def _tell_candidate(self, _: Any, mline: int, candidate: str) -> None:
        found = {"candidate": candidate, "sdpMLineIndex": mline}
        say({"type": "candidate", "candidate": found})


def main() -> None:
    """Serve one viewer until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="store_true")
    for name in ("--width", "--height", "--fps", "--bitrate", "--frames"):
        parser.add_argument(name, type=int)
    parser.add_argument("--data-only", action="store_true")
    arguments = parser.parse_args()
    if MISSING is not None:
        sys.exit(MISSING)
    Gst.init(None)
    if arguments.version:
        missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
        if missing:
            sys.exit(f"missing: {', '.join(missing)}")
        sys.stdout.write(".".join(str(part) for part in Gst.version()[:3]) + "\n")
        return
    connection = Connection(arguments)
    for line in sys.stdin:
        connection.obey(json.loads(line))


if __name__ == "__main__":
    main()
