"""Our encoder alone, on the picture that the video bench sends."""

import asyncio
import time

from farhand.media.encoder import EncoderSettings, H264Encoder
from farhand.media.sources.pattern import PatternSource


async def encode_times_ms(
    width: int, height: int, fps: float, bitrate_bps: int, duration_s: float
) -> list[float]:
    """Return how long each frame took, from handing it over to having its bytes, in ms."""
    source = PatternSource(width, height, fps)
    encoder = H264Encoder(EncoderSettings(fps, bitrate_bps, bitrate_bps))
    times, end = [], asyncio.get_running_loop().time() + duration_s
    try:
        async for frame in source.frames():
            began = time.perf_counter()
            await encoder.encode(frame, (0, 0))
            times.append((time.perf_counter() - began) * 1e3)
            if asyncio.get_running_loop().time() > end:
                return times
    finally:
        await source.close()
        await encoder.close()
    return times
