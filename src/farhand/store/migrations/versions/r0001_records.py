"""Records, the audit trail, status samples and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _number(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _truth(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON, nullable=False) for name in names]


def _written() -> list[sa.Column[int]]:
    return _number("version", "created_ms", "updated_ms")


def upgrade() -> None:
    """Make all tables."""
    _places()
    _people()
    _trail()
    _history()
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _places() -> None:
    op.create_table(
        "services",
        *_written(),
        *_text("id", "name", "token"),
        sa.Column("robot_id", sa.Text),
        *_text("control_name", "status"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "robots",
        *_written(),
        *_text("service_id", "id", "home_id", "name", "public_key"),
        _truth("is_revoked"),
        *_text("model", "architecture", "software"),
        *_json("tags", "groups"),
        sa.Column("manifest", sa.JSON),
        *_number("last_seen_ms"),
        *_text("offline_reason"),
        sa.PrimaryKeyConstraint("service_id", "id"),
    )
    op.create_table(
        "rooms",
        *_written(),
        *_text("service_id"),
        *_number("id"),
        *_text("name", "alias", "type", "token"),
        *_number("max_users", "max_duration_s"),
        sa.PrimaryKeyConstraint("service_id", "id"),
    )
    op.create_table(
        "webhooks",
        *_written(),
        *_text("id", "url", "secret"),
        *_json("events"),
        sa.Column("service_id", sa.Text),
        _truth("is_enabled"),
        *_number("last_status", "last_ms"),
        *_text("last_error"),
        sa.PrimaryKeyConstraint("id"),
    )


def _people() -> None:
    op.create_table(
        "users",
        *_written(),
        *_text("id", "name", "password_hash", "role"),
        *_json("access"),
        *_text("oidc"),
        _truth("is_disabled"),
        *_number("epoch"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tokens",
        *_written(),
        *_text("id", "name", "digest", "role"),
        *_json("access"),
        sa.Column("expires_ms", sa.BigInteger),
        *_number("last_used_ms"),
        _truth("is_revoked"),
        *_text("created_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "logins",
        *_written(),
        *_text("id", "digest", "user_id", "name", "role"),
        *_json("access"),
        *_number("epoch", "expires_ms"),
        *_text("address"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "enrolments",
        *_written(),
        *_text("id", "kind", "digest", "hint", "service_id"),
        sa.Column("robot_id", sa.Text),
        *_text("name", "public_key", "model", "architecture"),
        *_json("tags"),
        *_text("poll_digest"),
        *_number("uses_left"),
        *_text("status"),
        *_number("expires_ms"),
        *_text("created_by", "address"),
        sa.PrimaryKeyConstraint("id"),
    )


def _trail() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", SERIAL, primary_key=True, autoincrement=False),
        *_number("at_ms"),
        *_text("actor", "actor_name", "action", "result", "service_id", "robot_id"),
        *_text("target", "address", "detail", "previous", "digest"),
    )
    op.create_index("audit_robot", "audit", ["robot_id", "seq"])


def _history() -> None:
    op.create_table(
        "status_samples",
        *_text("service_id", "robot_id"),
        *_number("at_ms"),
        *_text("data"),
        sa.PrimaryKeyConstraint("service_id", "robot_id", "at_ms"),
        sqlite_with_rowid=False,
    )
    op.create_index("status_samples_at", "status_samples", ["at_ms"])
    op.create_table(
        "events",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=False),
        *_text("service_id", "robot_id", "type"),
        *_number("at_ms"),
        *_text("data"),
    )
    op.create_index("events_at", "events", ["at_ms", "id"])
    op.create_index("events_robot", "events", ["service_id", "robot_id", "at_ms"])
