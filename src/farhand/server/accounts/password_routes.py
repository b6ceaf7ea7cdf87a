"""Changing the own password."""

from msgspec.structs import replace
from starlette.responses import Response

from farhand.errors import Code
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.logging_in import begin, refuse
from farhand.server.accounts.passwords import check_rules
from farhand.server.accounts.views import NewPassword
from farhand.server.problems import Problem
from farhand.server.rest.answers import NO_STORE
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.reading import address_of
from farhand.store.base import Put
from farhand.store.records import User


class PasswordRoutes:
    """The operation.

    Args:
        accounts: Knows people.

    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def change_password(self, call: Call[NewPassword, object]) -> Response:
        """Change your password. All your other logins end; this one gets a new cookie."""
        accounts, body = self._accounts, call.body
        user = self._own(call)
        check_rules(body.new)
        address, key = address_of(call.request), f"user:{user.id}"
        with accounts.throttle.attempt(address, key, is_at_home=True) as attempt:
            if not await accounts.passwords.verify(user.password_hash, body.old):
                text = "The old password is wrong."
                raise await self._wrong(call, text, user)
            attempt.failed = False
        hashed = await accounts.passwords.hash(body.new)
        # The version that was read: if an admin changed the account meanwhile, that stands.
        changed = replace(user, password_hash=hashed, epoch=user.epoch + 1)
        also = (Put(changed), *accounts.logins.all_of(user.id))
        _, secret = await begin(accounts, call, changed, "user.password", also)
        answer = Response(status_code=204, headers=NO_STORE)
        accounts.logins.set_cookie(call.request, answer, secret)
        return answer

    async def _wrong(self, call: Call[NewPassword, object], text: str, user: User) -> Problem:
        refusal = await refuse(self._accounts, call, "user.password", Code.FORBIDDEN, text, user)
        return Problem(403, refusal.code, text)

    def _own(self, call: Call[NewPassword, object]) -> User:
        who = call.principal
        user = self._accounts.store.get(User, who.id) if who.kind == "user" else None
        if user is None or not user.password_hash:
            text = "You have no password here."
            raise Problem(409, Code.CONFLICT, text, "Ask an admin to set one.")
        return user

    def add_to(self, api: Operations) -> None:
        """Register the operation."""
        example = NewPassword(old="correct horse battery", new="staple correct horse")
        api.add(
            "POST", "/v1/me/password", self.change_password, tag="Login", status=204,
            body=NewPassword, body_example=example,
        )  # fmt: skip
