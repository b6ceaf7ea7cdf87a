from hypothesis import given
from hypothesis import strategies as st

from farhand.media.shares import shares


def test_cameras_share_a_narrow_link_in_proportion_to_what_they_can_use() -> None:
    assert shares(1_000_000, [3_000_000, 1_000_000]) == [750_000, 250_000]


def test_a_wide_link_gives_each_its_most_and_no_more() -> None:
    assert shares(9_000_000, [3_000_000, 1_000_000]) == [3_000_000, 1_000_000]


def test_no_camera_no_share() -> None:
    assert shares(1_000_000, []) == []


@given(st.integers(0, 10**8), st.lists(st.integers(1, 10**7), max_size=8))
def test_never_more_than_there_is_nor_than_a_camera_can_use(total: int, most: list[int]) -> None:
    parts = shares(total, most)
    assert sum(parts) <= total
    assert all(0 <= part <= limit for part, limit in zip(parts, most, strict=True))
