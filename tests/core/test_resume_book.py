"""Each resume token is good once, and not for long."""

import pytest

from farhand.core import resume_book
from farhand.core.resume import Claims, ResumeSigner
from farhand.core.resume_book import RESTART_S, VALID_S, Replayed, ResumeBook
from farhand.errors import Code, NotAllowed
from farhand.protocol.ids import MemberId, ServiceId

ANA = MemberId("ana")
START = 1000.0


class Books:
    """Servers that follow each other, with one secret and one wall clock."""

    def __init__(self) -> None:
        self.wall_ms = 1
        self.now = START
        self.restart()

    def restart(self) -> None:
        self.wall_ms += 1000
        self.book = ResumeBook(ResumeSigner(b"s" * 32), lambda: self.wall_ms)
        self.book.tick(self.now)

    def come(self, member: MemberId = ANA) -> str:
        return self.book.issue(Claims(member, ServiceId("default"), "operator", None, "user:ana"))

    def back(self, token: str) -> str:
        """Come back with a token; return the next one."""
        return self.book.issue(self.book.redeem(token, self.now))

    def refuses(self, token: str) -> NotAllowed:
        with pytest.raises(NotAllowed) as caught:
            self.book.redeem(token, self.now)
        assert caught.value.code is Code.RESUME_REFUSED
        return caught.value


def test_each_hello_brings_another_token_and_only_the_last_is_good() -> None:
    books = Books()
    tokens = [books.come()]
    for _ in range(3):
        tokens.append(books.back(tokens[-1]))
    assert len(set(tokens)) == 4
    for used in tokens[:-1]:
        exc = books.refuses(used)
        assert isinstance(exc, Replayed)
        assert exc.member_id == ANA
    assert books.back(tokens[-1])


def test_asking_does_not_use_a_token_up() -> None:
    books = Books()
    token = books.come()
    assert books.book.redeem(token, books.now) == books.book.redeem(token, books.now)


def test_a_token_is_good_for_half_a_minute_after_the_socket_was_lost() -> None:
    books = Books()
    token = books.come()
    books.now += 10 * VALID_S
    books.book.lost(ANA, books.now)
    books.now += VALID_S - 0.1
    assert books.book.redeem(token, books.now).member_id == ANA
    books.now += 0.1
    assert not isinstance(books.refuses(token), Replayed)


def test_who_came_back_is_no_longer_lost() -> None:
    books = Books()
    token = books.come()
    books.book.lost(ANA, books.now)
    token = books.back(token)
    books.now += 2 * VALID_S
    assert books.book.redeem(token, books.now).member_id == ANA


def test_who_said_goodbye_does_not_come_back() -> None:
    books = Books()
    token = books.come()
    books.book.forget(ANA)
    books.refuses(token)


def test_after_a_restart_a_token_of_before_is_taken_once() -> None:
    books = Books()
    token = books.come()
    books.restart()
    books.now += RESTART_S - 0.1
    new = books.back(token)
    assert isinstance(books.refuses(token), Replayed)
    assert books.book.redeem(new, books.now).n == 2


def test_after_a_restart_the_same_token_does_not_work_again_when_its_owner_has_gone() -> None:
    books = Books()
    token = books.come()
    books.restart()
    books.back(token)
    books.book.forget(ANA)
    books.refuses(token)


def test_a_minute_after_the_start_tokens_of_before_are_worthless() -> None:
    books = Books()
    token = books.come()
    books.restart()
    books.now += RESTART_S
    books.refuses(token)


def test_a_forgotten_member_of_this_server_is_not_taken_for_one_of_before() -> None:
    books = Books()
    token = books.come()
    books.book.lost(ANA, books.now)
    books.now += VALID_S
    assert books.now - START < RESTART_S
    books.refuses(token)


def test_the_book_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume_book, "MAX_LOST", 2)
    books = Books()
    tokens = []
    for number in range(3):
        member = MemberId(f"m{number}")
        tokens.append(books.come(member))
        books.book.lost(member, books.now)
    books.refuses(tokens[0])
    assert books.back(tokens[1])
    assert books.back(tokens[2])
