"""Makes a short clip to read back; its stamps count frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from farhand.media import strip

WIDTH, HEIGHT, FPS, FRAMES = 640, 480, 30, 15


def write(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        stream.time_base = Fraction(1, FPS)
        for number in range(FRAMES):
            picture = np.full((HEIGHT * 3 // 2, WIDTH), 100, np.uint8)
            strip.draw(picture[:HEIGHT], number)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
