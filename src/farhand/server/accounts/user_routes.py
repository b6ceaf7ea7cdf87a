"""People's accounts: admins make, change and remove them."""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from farhand.core.access import Access
from farhand.errors import Code
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.giving import check_gift, check_places, rights_of, withdrawn_with
from farhand.server.accounts.passwords import check_rules
from farhand.server.accounts.secret import new_id
from farhand.server.accounts.views import (
    SHOWN_MS,
    Line,
    NewUser,
    UserPatch,
    UserView,
    user_view,
)
from farhand.server.problems import Problem, not_found
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import insist
from farhand.server.rest.fields import PageQuery
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match
from farhand.server.rest.rights import require_admin
from farhand.store.base import Change, Delete, Put
from farhand.store.records import User


class UserRoutes:
    """The operations. Everything here is for admins alone: 403 for others, whatever the id.

    Args:
        accounts: Knows people.

    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list_users(self, call: Call[object, PageQuery]) -> Listing[User]:
        """List all accounts."""
        require_admin(call.principal)
        return Listing(
            self._accounts.people.users, lambda user: (user.name.casefold(), user.id), user_view
        )

    async def create_user(self, call: Call[NewUser, object]) -> Answer:
        """Create an account."""
        accounts, body = self._accounts, call.body
        require_admin(call.principal)
        access = tuple(line.access() for line in body.access)
        check_gift(call.principal, body.role, access)
        check_places(accounts.store, access)
        hashed = await self._hashed(body.password) if body.password is not None else ""
        user = User(
            id=new_id("u"), name=body.name, role=body.role, access=access, password_hash=hashed
        )
        deed = call.deed("user.create", target=f"user:{user.id}", detail={"role": user.role})
        async with accounts.accounts_lock:
            if accounts.people.user(body.name) is not None:
                raise Problem(409, Code.CONFLICT, "There is an account of this name.")
            stored, *_ = await accounts.store.write(Put(user), deed=deed)
        return self._answer(stored, headers={"Location": user.id})

    async def read_user(self, call: Call[object, object]) -> Answer:
        """Return one account."""
        return self._answer(self._found(call))

    async def update_user(self, call: Call[UserPatch, object]) -> Answer:
        """Change an account. If its rights change, what it gave beyond the new ones is revoked."""
        accounts, body = self._accounts, call.body
        self._found(call)  # before the password is hashed, which others wait for
        password = body.password
        hashed = await self._hashed(password) if isinstance(password, str) else None
        async with accounts.accounts_lock:
            # One of their tokens or logins may change at this moment: they are not to stay by that.
            return await insist(lambda: self._update(call, hashed))

    async def _update(self, call: Call[UserPatch, object], hashed: str | None) -> Answer:
        accounts, body = self._accounts, call.body
        user = self._found(call)
        check_match(call.request, user.version)
        changed = _patched(user, body, hashed)
        check_gift(call.principal, changed.role, changed.access)
        if changed.access != user.access:  # a service of before may be gone
            check_places(self._accounts.store, changed.access)
        self._keep_an_admin(user, changed)
        ends = self._logins_to_end(user, changed)
        if ends:
            changed = replace(changed, epoch=user.epoch + 1)
        also = withdrawn_with(accounts.store, f"user:{user.id}", rights_of(changed))
        names = [name for name in body.__struct_fields__ if getattr(body, name) is not UNSET]
        deed = call.deed(
            "user.update", target=f"user:{user.id}", detail={"changed": " ".join(names)}
        )
        stored, *_ = await accounts.store.write(Put(changed), *ends, *also, deed=deed)
        return self._answer(stored)

    async def delete_user(self, call: Call[object, object]) -> Answer:
        """Remove an account, its logins, and the tokens that were made with it."""
        async with self._accounts.accounts_lock:
            return await insist(lambda: self._delete(call))

    async def _delete(self, call: Call[object, object]) -> Answer:
        accounts, user = self._accounts, self._found(call)
        check_match(call.request, user.version)
        self._keep_an_admin(user, None)
        changes = [
            Delete(User, (user.id,)),
            *accounts.logins.all_of(user.id),
            *withdrawn_with(accounts.store, f"user:{user.id}", None),
        ]
        deed = call.deed("user.delete", target=f"user:{user.id}", detail={"name": user.name})
        await accounts.store.write(*changes, deed=deed)
        return Answer()

    def _logins_to_end(self, before: User, after: User) -> list[Change]:
        """Return what ends the logins: a new password or role, disabled; not a new access list."""

        def proof(user: User) -> tuple[object, ...]:
            return user.password_hash, user.role, user.is_disabled

        return [] if proof(before) == proof(after) else self._accounts.logins.all_of(before.id)

    def _found(self, call: Call[Any, Any]) -> User:
        require_admin(call.principal)
        user = self._accounts.store.get(User, call.path("user_id"))
        if user is None:
            raise not_found("account")
        return user

    def _keep_an_admin(self, before: User, after: User | None) -> None:
        """See to it that somebody can still manage this server.

        Raises:
            Problem: 409 FH-3026.

        """
        if before.role != "admin" or before.is_disabled:
            return
        if after is not None and after.role == "admin" and not after.is_disabled:
            return
        others = [
            user
            for user in self._accounts.people.users
            if user.role == "admin" and not user.is_disabled and user.id != before.id
        ]
        if not others:
            text = "This is the last admin."
            raise Problem(409, Code.CONFLICT, text, "Make somebody else an admin first.")

    async def _hashed(self, password: str) -> str:
        check_rules(password)
        return await self._accounts.passwords.hash(password)

    @staticmethod
    def _answer(user: object, headers: dict[str, str] | None = None) -> Answer:
        assert isinstance(user, User)  # noqa: S101 - what was put
        return Answer(user_view(user), version=user.version, headers=headers or {})

    def add_to(self, api: Operations) -> None:
        """Register the operations."""
        one, tag = "/v1/user/{user_id}", "Users"
        access = (Access(DEFAULT_SERVICE, "operator"),)
        shown = user_view(
            User(
                id="u-1f0c7b5e9d3a4c2e8b6f0a1d2c3e4f50", name="ana", role="operator",
                access=access, version=1, created_ms=SHOWN_MS, updated_ms=SHOWN_MS,
            )
        )  # fmt: skip
        new = NewUser(
            name="ana", role="operator", password="correct horse battery",  # noqa: S106
            access=(Line(service_id="default", role="operator", robot_id="sim-rover"),),
        )  # fmt: skip
        api.add(
            "GET", "/v1/user", self.list_users, tag=tag, query=PageQuery, answer=UserView,
            plural="users", example=shown,
        )  # fmt: skip
        api.add(
            "POST", "/v1/user", self.create_user, tag=tag, status=201, body=NewUser,
            body_example=new, answer=UserView, example=shown,
        )  # fmt: skip
        api.add("GET", one, self.read_user, tag=tag, answer=UserView, example=shown)
        api.add(
            "PATCH", one, self.update_user, tag=tag, body=UserPatch,
            body_example=UserPatch(is_disabled=True), answer=UserView, example=shown,
        )  # fmt: skip
        api.add("DELETE", one, self.delete_user, tag=tag, status=204)


def _patched(user: User, body: UserPatch, hashed: str | None) -> User:
    return replace(
        user,
        role=user.role if body.role is UNSET else body.role,
        access=user.access if body.access is UNSET else tuple(x.access() for x in body.access),
        is_disabled=user.is_disabled if body.is_disabled is UNSET else body.is_disabled,
        password_hash=user.password_hash if hashed is None else hashed,
    )
