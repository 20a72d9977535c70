"""Accounts. A person may hold several roles, each for its stations (DOMAIN §2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import Base, Id, UtcDateTime


@dataclass(frozen=True)
class Role(RoleMixin):
    """A role as Flask-Security wants to see it; ours are codes, not rows."""

    name: str


class User(Base, UserMixin):
    """Somebody who can sign in."""

    __tablename__ = "user_account"
    subject_type = "user"
    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str | None] = mapped_column(String(32))
    language: Mapped[str | None] = mapped_column(String(2))
    customer_id: Mapped[int | None]  # the customer a portal user belongs to; accounts stand below customers
    technician_id: Mapped[int | None]  # the technician this person is; stations stand above accounts
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(String(200))  # encrypted; set once a first code was right
    totp_step: Mapped[int] = mapped_column(default=0)  # the last time step whose code was used
    grants: Mapped[list["RoleGrant"]] = relationship(lazy="selectin", cascade="all, delete-orphan")

    @property
    def roles(self) -> list[RoleMixin]:
        return [Role(name) for name in sorted({grant.role for grant in self.grants})]

    @roles.setter
    def roles(self, _value: Any) -> None:
        """Flask-Security assigns an empty list on creation; grants are made by `grant_role`."""

    def as_person(self, via_token: bool = False) -> Person:
        """The acting person with the stations of each role."""
        roles = stations_by_role((grant.role, grant.station_id) for grant in self.grants)
        return Person(
            self.id, self.name, self.email, self.language, self.technician_id, self.customer_id, roles, via_token
        )


def stations_by_role(grants: Iterable[tuple[str, int | None]]) -> dict[str, frozenset[int] | None]:
    """The stations of each role; a grant without station covers all."""
    covered: dict[str, set[int] | None] = {}
    for role, station in grants:
        if station is None:
            covered[role] = None
        else:
            stations = covered.setdefault(role, set())
            if stations is not None:
                stations.add(station)
    return {role: None if some is None else frozenset(some) for role, some in covered.items()}


class RoleGrant(Base):
    """A role held by a person, for one station or (empty) for all."""

    __tablename__ = "role_grant"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(24))
    station_id: Mapped[int | None]
    __table_args__ = (UniqueConstraint("user_id", "role", "station_id"),)


class SignIn(Base):
    """A signed-in browser. The cookie holds a random token; only its hash is stored."""

    __tablename__ = "sign_in"
    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    agent: Mapped[str] = mapped_column(String(200), default="")
    device: Mapped[str] = mapped_column(String(60), default="")  # a tablet that stays signed in, by its name
    __table_args__ = (Index("ix_sign_in_user", "user_id", "revoked_at"),)


class ApiToken(Base):
    """A bearer token of a person; shown once, stored hashed."""

    __tablename__ = "api_token"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Passkey(Base):
    """A key that signs in without a password (WebAuthn)."""

    __tablename__ = "passkey"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    credential_id: Mapped[str] = mapped_column(String(700), unique=True)  # base64url
    public_key: Mapped[str] = mapped_column(Text)  # COSE, base64url
    sign_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code for the day the second factor is lost; used once, stored hashed."""

    __tablename__ = "recovery_code"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)
