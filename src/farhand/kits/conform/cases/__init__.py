"""The cases, by what goes wrong. Importing this registers them."""

from farhand.kits.conform.cases import (
    clocks,
    control,
    frames,
    limits,
    programs,
    silence,
    stopping,
    video,
)
from farhand.kits.conform.model import CATALOGUE

# From the frame to the whole robot: what breaks most comes last.
ORDER = (frames, clocks, silence, limits, video, control, stopping, programs)
CATALOGUE.arrange([module.__name__ for module in ORDER])
