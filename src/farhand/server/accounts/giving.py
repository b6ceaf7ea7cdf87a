"""No one may give more than they have: which rights somebody can hand on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from farhand.core.access import RANK, Access, Principal, TokenRole
from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.store.base import Change, Put, Store
from farhand.store.records import Enrolment, Token, User


def covers(giver: Principal, line: Access) -> bool:
    """Say whether ``giver`` has what ``line`` would give."""
    if giver.is_admin:
        return True
    if line.role == "admin" or RANK[line.role] > RANK[giver.role]:
        return False
    if giver.manages(line.service_id):
        return True
    return any(_is_within(line, own) for own in giver.access)


def _is_within(line: Access, own: Access) -> bool:
    # Bringing robots in is no lesser kind of watching them.
    is_role = line.role == own.role if "enroller" in (line.role, own.role) else True
    return (
        is_role
        and RANK[line.role] <= RANK[own.role]
        and line.service_id == own.service_id
        and own.robot_id in (None, line.robot_id)
        and own.tag in ("", line.tag)
    )


def check_gift(giver: Principal, role: TokenRole, access: Iterable[Access]) -> None:
    """Refuse to hand on rights that ``giver`` has not.

    Args:
        giver: Who gives.
        role: The most that the receiver is to be anywhere.
        access: Where, and what.

    Raises:
        Problem: 403 FH-2005 it is more than they have; 422 FH-3001 it contradicts itself.

    """
    lines = tuple(access)
    if any(line.role == "admin" or RANK[line.role] > RANK[role] for line in lines):
        text = f"No line of an access list may be more than the role {role}, or admin."
        raise Problem(422, Code.MALFORMED, text)
    may = giver.is_admin or (role != "admin" and RANK[role] <= RANK[giver.role])
    if not may or not all(covers(giver, line) for line in lines):
        text = "Nobody can give more than they have themselves."
        raise Problem(403, Code.FORBIDDEN, text, "Give less, or ask an admin.")


def check_places(store: Store, access: Iterable[Access]) -> None:
    """Refuse rights on a service that is not there: a typing error would look like a gift.

    A robot may be named before it is enrolled.

    Raises:
        Problem: 422 FH-3021.

    """
    for line in access:
        if not store.has_service(line.service_id):
            text = f"There is no service {line.service_id}."
            raise Problem(422, Code.UNKNOWN_SERVICE, text, "Make it first, or correct its id.")


def withdrawn_with(store: Store, giver: str, now: Principal | None) -> list[Change]:
    """Return what revokes all that ``giver`` has given and could not give any more.

    That is tokens, what was made with those, and the codes and keys by which robots get in.

    Args:
        store: The records.
        giver: As in ``Token.created_by``: kind and id.
        now: What they are from now on; ``None``: nobody.

    """
    made: defaultdict[str, list[Token]] = defaultdict(list)
    for token in store.all(Token):
        if not token.is_revoked:
            made[token.created_by].append(token)
    changes: list[Change] = []
    givers = {giver: now}
    # Not by recursion: who holds a token can make one with it, and with that one another, and so on
    # until Python's stack is full and nothing of it can be revoked.
    waiting = [giver]
    while waiting:
        maker = waiting.pop()
        for token in made.pop(maker, ()):
            if not _could_give(givers[maker], token):
                changes.append(Put(replace(token, is_revoked=True)))
                givers[f"token:{token.id}"] = None
                waiting.append(f"token:{token.id}")
    return changes + _closed_ways_in(store, givers)


def _could_give(giver: Principal | None, token: Token) -> bool:
    if giver is None or (token.role == "admin" and not giver.is_admin):
        return False
    return all(covers(giver, line) for line in token.access)


def _closed_ways_in(store: Store, givers: Mapping[str, Principal | None]) -> list[Change]:
    changes: list[Change] = []
    for one in store.all(Enrolment):
        if one.kind == "request" or one.status != "open" or one.created_by not in givers:
            continue
        giver = givers[one.created_by]
        if giver is None or not covers(giver, Access(one.service_id, "enroller")):
            changes.append(Put(replace(one, status="revoked")))
    return changes


def revocation(store: Store, token: Token) -> list[Change]:
    """Return what revokes a token and all that was made with it."""
    made = withdrawn_with(store, f"token:{token.id}", None)
    return [Put(replace(token, is_revoked=True)), *made]


def rights_of(user: User) -> Principal | None:
    """Return what an account may hand on; ``None``: it is disabled."""
    if user.is_disabled:
        return None
    return Principal("user", user.id, user.name, user.role, user.access)
