"""The smallest RTSP camera: one H.264 stream, interleaved in TCP (RFC 2326, 10.12)."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from farhand.media.base import EncodedFrame
from farhand.media.encoder import EncoderSettings
from farhand.media.feed import SharedCamera
from farhand.media.h264 import payloads
from farhand.media.sources.pattern import PatternSource
from farhand.protocol.ids import CameraId

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
)


class RtspCamera:
    """Serves the pattern to whoever asks."""

    def __init__(self) -> None:
        self.port = 0
        self.described = 0
        self._feed = SharedCamera(CameraId("ip"), PatternSource(640, 480, 30), EncoderSettings())
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        leave = None
        seq = 0

        def push(frame: EncodedFrame) -> None:
            nonlocal seq
            parts = payloads(frame.data)
            for index, part in enumerate(parts):
                kind = 96 | (0x80 if index == len(parts) - 1 else 0)
                packet = struct.pack("!BBHII", 0x80, kind, seq, frame.pts & 0xFFFFFFFF, 7) + part
                seq = seq + 1 & 0xFFFF
                writer.write(b"$\x00" + len(packet).to_bytes(2, "big") + packet)

        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                verb = head.split(" ", 1)[0].lstrip("\x00$")
                number = next(
                    line.split(":")[1].strip()
                    for line in head.splitlines()
                    if line.lower().startswith("cseq")
                )
                extra, body = "", ""
                if verb == "DESCRIBE":
                    self.described += 1
                    extra, body = "Content-Type: application/sdp\r\n", SDP
                elif verb == "SETUP":
                    extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
                elif verb == "OPTIONS":
                    extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                else:
                    extra = "Session: 1\r\n"
                size = f"Content-Length: {len(body)}\r\n"
                writer.write(
                    f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{extra}{size}\r\n{body}".encode()
                )
                if verb == "PLAY" and leave is None:
                    leave = self._feed.subscribe(push)
        if leave is not None:
            leave.close()
        writer.close()
        self._writers.discard(writer)

    def hang_up(self) -> None:
        for writer in tuple(self._writers):
            writer.close()

    async def close(self) -> None:
        self.hang_up()
        await self._feed.close()


@asynccontextmanager
async def rtsp_camera() -> AsyncIterator[RtspCamera]:
    camera = RtspCamera()
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        await camera.close()
        server.close()
        await server.wait_closed()
