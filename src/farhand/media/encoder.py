"""One rung's H.264 encoder: x264 through PyAV, in a thread of its own."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

import av
import av.error
import av.video.frame

from farhand.errors import Code, MediaError
from farhand.media.base import EncodedFrame, RawFrame
from farhand.media.scaler import picture_of

av.logging.set_level(None)

CLOCK = Fraction(1, 90_000)
KEY_FRAME_WINDOW_S = 1.0
KEY_FRAMES_PER_WINDOW = 2
MAX_PIXELS_AT_LEVEL_31 = 1280 * 720
_SAMPLES = 300


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encoder aims at.

    Args:
        fps: Frames per second the camera is expected to give; only the rate control's first guess.
        bitrate_bps: Rate to begin with.
        max_bitrate_bps: ``set_bitrate`` cannot go above this: x264 fixes its buffer model when it
            opens.
        threads: Of the encoder. One keeps the other core for the rest of the robot.
        buffer_bits: How far it may run ahead of its rate; 0: a sixth of a second of the maximum.

    """

    fps: float = 30
    bitrate_bps: int = 2_500_000
    max_bitrate_bps: int = 2_500_000
    threads: int = 1
    buffer_bits: int = 0


def default_bitrate_bps(width: int, height: int) -> int:
    """Return a rate that looks well: 2.5 Mbit/s at 1280x720, 1.5 at 640x480, 0.5 at 320x240."""
    for pixels, rate in ((1280 * 720, 2_500_000), (640 * 480, 1_500_000), (480 * 360, 900_000)):
        if width * height >= pixels:
            return rate
    return 500_000


def pts_of(raw: RawFrame) -> int:
    """Return a frame's stamp in the 90 kHz of its media time."""
    return raw.stamp_us * 9 // 100


class KeyFrameLimiter:
    """Lets two requests for a key frame through in any second; the rest wait, none is forgotten.

    A key frame costs ten others: a viewer that loses packets and asks for more of them would only
    make it worse.
    """

    def __init__(self) -> None:
        self._made: deque[float] = deque(maxlen=KEY_FRAMES_PER_WINDOW)
        self._is_wanted = False

    def request(self) -> None:
        """Ask for one."""
        self._is_wanted = True

    def is_due(self, now: float) -> bool:
        """Say whether the next frame should be a key frame."""
        is_full = len(self._made) == KEY_FRAMES_PER_WINDOW
        return self._is_wanted and not (is_full and now - self._made[0] < KEY_FRAME_WINDOW_S)

    def made(self, now: float) -> None:
        """Note that a key frame was made: whoever asked before has what it needs."""
        self._made.append(now)
        self._is_wanted = False


class H264Encoder:
    """Encodes one frame after the other, never more than one at a time, outside the event loop.

    All methods belong to the event loop's thread; only the codec itself lives in the encoder's.

    Args:
        settings: What to aim at.
        rung: What its frames are marked with.
        size: (width, height) that pictures are scaled to; ``None``: as they come.
        clock: Monotonic seconds.

    """

    def __init__(
        self,
        settings: EncoderSettings,
        *,
        rung: int = 0,
        size: tuple[int, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.bitrate_bps = min(settings.bitrate_bps, settings.max_bitrate_bps)
        self.key_frames = 0
        self.frames = 0
        self.is_busy = False
        """Whether a frame is in work."""
        self._rung = rung
        self._size = size
        self._clock = clock
        self._limiter = KeyFrameLimiter()
        self._codec: av.VideoCodecContext | None = None
        self._last_pts = -1
        self._is_closed = False
        self._times_ms: deque[float] = deque(maxlen=_SAMPLES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farhand-encoder")

    @property
    def p50_ms(self) -> float | None:
        """Median time of the last 300 frames, conversion included; ``None``: no frame yet."""
        return median(self._times_ms) if self._times_ms else None

    @property
    def is_key_due(self) -> bool:
        """Whether the next frame will be a key frame."""
        return not self.frames or self._limiter.is_due(self._clock())

    def request_key_frame(self) -> None:
        """Ask for a key frame; it comes with the next frame, at most twice in a second."""
        self._limiter.request()

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Aim at ``bitrate_bps``, at most the settings' maximum, from the next frame on."""
        self.bitrate_bps = min(bitrate_bps, self.settings.max_bitrate_bps)

    async def encode(
        self, frame: RawFrame, last_applied: tuple[int, int], *, pts: int | None = None
    ) -> EncodedFrame:
        """Return ``frame`` encoded. The caller waits for one frame before it hands over the next.

        Args:
            frame: The camera's picture.
            last_applied: What the encoded frame is to say of it.
            pts: Its media time; ``None``: by its stamp.

        Raises:
            MediaError: The codec refused (FH-5004).

        """
        loop = asyncio.get_running_loop()
        wants_key = self._limiter.is_due(self._clock())
        wanted_pts = pts_of(frame) if pts is None else pts
        self.is_busy = True
        try:
            data, made_pts, is_key = await loop.run_in_executor(
                self._thread, self._encode, frame, wanted_pts, wants_key, self.bitrate_bps
            )
        finally:
            self.is_busy = False
        self.frames += 1
        if is_key:
            self.key_frames += 1
            self._limiter.made(self._clock())
        return EncodedFrame(data, made_pts, is_key, frame.stamp_us, last_applied, self._rung)

    async def close(self) -> None:
        """Release the codec and its thread. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        # After the frame in work, which is waited for in the encoder's own thread, not on the loop.
        self._thread.submit(self._release)
        self._thread.shutdown(wait=False)

    def _release(self) -> None:
        self._codec = None

    def _encode(
        self, raw: RawFrame, pts: int, wants_key: bool, bitrate_bps: int
    ) -> tuple[bytes, int, bool]:
        began = time.perf_counter()
        try:
            picture = picture_of(raw, self._size)
            codec = self._codec_for(picture.width, picture.height, bitrate_bps)
            # Two frames with one stamp would be one frame to a receiver; x264 refuses them.
            self._last_pts = pts = max(pts, self._last_pts + 1)
            kind = av.video.frame.PictureType
            picture.pts, picture.time_base = pts, CLOCK
            picture.pict_type = kind.I if wants_key else kind.NONE
            packets = codec.encode(picture)
        except (av.error.FFmpegError, ValueError) as exc:
            self._codec = None
            raise MediaError(
                Code.ENCODER_FAILED, f"The H.264 encoder refused a frame: {exc}."
            ) from exc
        data = b"".join(bytes(packet) for packet in packets)
        self._times_ms.append((time.perf_counter() - began) * 1e3)
        return data, pts, any(packet.is_keyframe for packet in packets)

    def _codec_for(self, width: int, height: int, bitrate_bps: int) -> av.VideoCodecContext:
        codec = self._codec
        if codec is None or (codec.width, codec.height) != (width, height):
            codec = self._codec = self._open(width, height)
        if codec.bit_rate != bitrate_bps:
            codec.bit_rate = bitrate_bps
        return codec

    def _open(self, width: int, height: int) -> av.VideoCodecContext:
        top = self.settings.max_bitrate_bps
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        # Opened at its top, whatever it begins with: x264 lets its buffer model follow the rate
        # only if both were equal when it opened (b_vbv_min_rate in its ratecontrol.c). Opened
        # lower, it gives twice of what a cut asks for and a third of what a rise allows.
        codec.bit_rate = top
        codec.framerate, codec.time_base = (
            Fraction(self.settings.fps).limit_denominator(1001),
            CLOCK,
        )
        codec.profile = "Baseline"
        codec.thread_count = self.settings.threads
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "level": "31" if width * height <= MAX_PIXELS_AT_LEVEL_31 else "40",
            # As codec options, not inside x264-params: only then does a new bit_rate act on a
            # running encoder.
            "maxrate": str(top),
            "bufsize": str(self.settings.buffer_bits or top // 6),
            # Key frames come on request only; a scene cut must not make one.
            "x264-params": "keyint=3000:scenecut=0",
        }
        codec.open()
        return codec
