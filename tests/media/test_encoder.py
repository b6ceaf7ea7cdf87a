import av
import numpy as np
import pytest

from farhand.errors import Code, MediaError
from farhand.media.base import EncodedFrame, RawFrame
from farhand.media.encoder import (
    EncoderSettings,
    H264Encoder,
    KeyFrameLimiter,
    default_bitrate_bps,
)
from farhand.media.h264 import is_key, nal_units

WIDTH, HEIGHT, FPS = 320, 240, 30
NOISE = np.random.default_rng(1).integers(96, 160, (HEIGHT * 3 // 2, WIDTH + 600), np.uint8)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def picture(number: int) -> RawFrame:
    shift = number * 4 % 600
    data = np.ascontiguousarray(NOISE[:, shift : shift + WIDTH])
    return RawFrame(data, "yuv420p", 1_000_000 + number * 1_000_000 // FPS)


class Bench:
    """An encoder on a clock of its own, fed with frame after frame."""

    def __init__(self, **settings: int) -> None:
        self.clock = Clock()
        self.encoder = H264Encoder(EncoderSettings(fps=FPS, **settings), clock=self.clock)
        self.number = 0

    async def frames(self, count: int) -> list[EncodedFrame]:
        made = []
        for _ in range(count):
            made.append(await self.encoder.encode(picture(self.number), (3, self.number)))
            self.number += 1
            self.clock.now += 1 / FPS
        return made


async def test_first_frame_is_a_key_frame_with_its_parameter_sets_and_no_other_follows() -> None:
    bench = Bench()
    frames = await bench.frames(60)
    await bench.encoder.close()
    assert [frame.is_key for frame in frames] == [True] + [False] * 59
    assert [is_key(frame.data) for frame in frames] == [frame.is_key for frame in frames]
    assert [unit[0] & 31 for unit in nal_units(frames[0].data)][:2] == [7, 8]


async def test_frames_keep_their_stamp_and_command_and_pts_is_the_capture_clock_at_90_khz() -> None:
    bench = Bench()
    first, second = await bench.frames(2)
    await bench.encoder.close()
    assert (first.stamp_us, first.pts, first.last_applied) == (1_000_000, 90_000, (3, 0))
    assert (second.stamp_us, second.pts, second.last_applied) == (1_033_333, 92_999, (3, 1))


async def test_profile_is_constrained_baseline_at_level_3_1() -> None:
    bench = Bench()
    (frame,) = await bench.frames(1)
    await bench.encoder.close()
    sps = next(unit for unit in nal_units(frame.data) if unit[0] & 31 == 7)
    profile, constraints, level = sps[1:4]
    assert (profile, constraints & 0x40, level) == (66, 0x40, 31)


async def test_two_frames_with_one_stamp_get_two_pts() -> None:
    bench = Bench()
    same = picture(1)
    first = await bench.encoder.encode(same, (0, 0))
    second = await bench.encoder.encode(same, (0, 0))
    await bench.encoder.close()
    assert second.pts == first.pts + 1


async def test_a_key_frame_comes_with_the_next_frame_after_the_request() -> None:
    bench = Bench()
    await bench.frames(40)
    bench.encoder.request_key_frame()
    frames = await bench.frames(3)
    await bench.encoder.close()
    assert [frame.is_key for frame in frames] == [True, False, False]
    assert [unit[0] & 31 for unit in nal_units(frames[0].data)][:2] == [7, 8]


async def test_however_often_they_are_asked_for_at_most_two_key_frames_come_in_a_second() -> None:
    bench = Bench()
    keys = []
    for _ in range(4 * FPS):
        bench.encoder.request_key_frame()
        (frame,) = await bench.frames(1)
        keys.append(frame.is_key)
    await bench.encoder.close()
    assert max(sum(keys[at : at + FPS]) for at in range(3 * FPS)) == 2
    assert sum(keys) == 8


def test_a_request_over_the_limit_waits_and_is_not_forgotten() -> None:
    limiter = KeyFrameLimiter()
    for now in (0.0, 0.1):
        limiter.request()
        assert limiter.is_due(now)
        limiter.made(now)
        assert not limiter.is_due(now)
    limiter.request()
    assert not limiter.is_due(0.99)
    assert limiter.is_due(1.0)


async def test_the_rate_changes_live_in_both_directions_without_a_key_frame() -> None:
    bench = Bench(bitrate_bps=1_000_000, max_bitrate_bps=1_000_000)
    rates, keys = [], 0
    for rate in (1_000_000, 300_000, 800_000):
        bench.encoder.set_bitrate(rate)
        frames = await bench.frames(90)
        keys += sum(frame.is_key for frame in frames)
        rates.append(sum(len(frame.data) for frame in frames[20:]) * 8 * FPS / 70)
    await bench.encoder.close()
    assert keys == 1
    assert 800_000 < rates[0] < 1_200_000
    assert rates[1] < 400_000
    assert 600_000 < rates[2] < 1_000_000


@pytest.mark.parametrize("begin", [300_000, 600_000])
async def test_it_follows_the_rate_also_when_it_began_below_its_maximum(begin: int) -> None:
    bench = Bench(bitrate_bps=begin, max_bitrate_bps=1_000_000, buffer_bits=75_000)
    for rate in (begin, 250_000, 800_000):
        bench.encoder.set_bitrate(rate)
        frames = await bench.frames(90)
        sent_bps = sum(len(frame.data) for frame in frames[20:]) * 8 * FPS / 70
        assert 0.75 * rate < sent_bps < 1.25 * rate
    await bench.encoder.close()


async def test_after_a_cut_no_frame_is_far_above_its_share_and_a_key_frame_is_short() -> None:
    cut = 270_000
    bench = Bench(bitrate_bps=1_000_000, max_bitrate_bps=1_000_000, buffer_bits=71_000)
    await bench.frames(60)
    bench.encoder.set_bitrate(cut)
    sizes = [len(frame.data) for frame in await bench.frames(60)]
    bench.encoder.request_key_frame()
    (key,) = await bench.frames(1)
    await bench.encoder.close()
    share = cut / 8 / FPS
    assert max(sizes) < 5 * share
    assert sorted(sizes)[-3] < 4 * share
    assert sum(sizes[10:]) < 1.2 * share * 50
    assert key.is_key
    assert len(key.data) * 8 / cut < 0.25


async def test_a_smaller_size_is_scaled_in_the_encoder_and_marked() -> None:
    encoder = H264Encoder(EncoderSettings(), rung=1, size=(160, 120))
    frames = [await encoder.encode(picture(number), (0, 0), pts=number) for number in range(3)]
    await encoder.close()
    decoder = av.VideoCodecContext.create("h264", "r")
    shown = [p for frame in frames for p in decoder.decode(av.Packet(frame.data))]
    shown += decoder.decode(None)
    assert [(frame.rung, frame.pts) for frame in frames] == [(1, 0), (1, 1), (1, 2)]
    assert [(p.width, p.height) for p in shown] == [(160, 120)] * 3


async def test_whether_the_next_frame_is_a_key_frame_is_known_before() -> None:
    bench = Bench()
    known, made = [], []
    for number in range(8):
        if number in (3, 4, 5):
            bench.encoder.request_key_frame()
        known.append(bench.encoder.is_key_due)
        made += [frame.is_key for frame in await bench.frames(1)]
    await bench.encoder.close()
    assert known == made == [True, False, False, True, False, False, False, False]


async def test_the_rate_never_goes_above_the_maximum() -> None:
    encoder = H264Encoder(EncoderSettings(bitrate_bps=500_000, max_bitrate_bps=600_000))
    encoder.set_bitrate(5_000_000)
    assert encoder.bitrate_bps == 600_000
    await encoder.close()


async def test_another_picture_size_opens_the_codec_anew_with_a_key_frame() -> None:
    bench = Bench()
    await bench.frames(2)
    small = RawFrame(np.zeros((120 * 3 // 2, 160), np.uint8), "yuv420p", 9_000_000)
    frame = await bench.encoder.encode(small, (0, 0))
    await bench.encoder.close()
    assert frame.is_key


async def test_rgb_pictures_are_taken_too() -> None:
    encoder = H264Encoder(EncoderSettings())
    frame = await encoder.encode(RawFrame(np.zeros((240, 320, 3), np.uint8), "rgb24", 1), (0, 0))
    await encoder.close()
    assert frame.is_key


async def test_a_picture_that_x264_refuses_is_a_media_error_and_the_next_one_works() -> None:
    encoder = H264Encoder(EncoderSettings())
    odd = RawFrame(np.zeros((241, 321, 3), np.uint8), "rgb24", 1)
    with pytest.raises(MediaError) as caught:
        await encoder.encode(odd, (0, 0))
    assert caught.value.code == Code.ENCODER_FAILED
    assert (await encoder.encode(picture(1), (0, 0))).is_key
    await encoder.close()


async def test_encoding_time_is_reported() -> None:
    bench = Bench()
    assert bench.encoder.p50_ms is None
    await bench.frames(3)
    await bench.encoder.close()
    assert bench.encoder.p50_ms is not None
    assert 0 < bench.encoder.p50_ms < 100


def test_default_rates_fit_the_picture() -> None:
    assert default_bitrate_bps(1280, 720) == 2_500_000
    assert default_bitrate_bps(640, 480) == 1_500_000
    assert default_bitrate_bps(320, 240) == 500_000
