"""The routes of accounts, for the application."""

from fastapi import APIRouter

from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.login_routes import LoginRoutes
from farhand.server.accounts.oidc_routes import OidcRoutes
from farhand.server.accounts.password_routes import PasswordRoutes
from farhand.server.accounts.token_routes import TokenRoutes
from farhand.server.accounts.user_routes import UserRoutes
from farhand.server.context import Context
from farhand.server.rest.operation import Operations


def add_to(api: Operations, accounts: Accounts) -> None:
    """Register all operations of accounts."""
    for routes in (
        LoginRoutes(accounts),
        PasswordRoutes(accounts),
        OidcRoutes(accounts),
        UserRoutes(accounts),
        TokenRoutes(accounts),
    ):
        routes.add_to(api)


def operations(context: Context, accounts: Accounts) -> Operations:
    """Return the operations of accounts, with their router."""
    api = Operations(context)
    add_to(api, accounts)
    return api


def routers(context: Context, accounts: Accounts) -> list[APIRouter]:
    """Return the routes."""
    return [operations(context, accounts).router]
