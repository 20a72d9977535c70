"""Domain errors. Services raise them with a code and facts; the web edge alone knows statuses and wording."""

from typing import Any

from flask_babel import lazy_gettext as _l


class DomainError(Exception):
    """Something the rules do not allow. `message` is a (lazy) sentence that says what to do next."""

    status = 400
    code = "bad_request"

    def __init__(self, message: Any = None, *, code: str | None = None, **facts: Any) -> None:
        self.message = message if message is not None else self.default_message
        self.code = code or self.code
        self.facts = facts
        super().__init__(f"{self.code} {facts}")

    default_message: Any = _l("This cannot be done. Check your entry and try again.")


class NotFound(DomainError):
    """Unknown, or belonging to a station the person may not see."""

    status, code = 404, "not_found"
    default_message = _l("We could not find this. It may have been removed, or it belongs to another station.")


class Forbidden(DomainError):
    """The person's role does not allow it."""

    status, code = 403, "forbidden"
    default_message = _l("Your role does not allow this. Ask your station manager or administrator.")


class SignInNeeded(DomainError):
    status, code = 401, "sign_in_needed"
    default_message = _l("Please sign in first.")


class Conflict(DomainError):
    """A forbidden move or a lost race; facts say what would be allowed."""

    status, code = 409, "conflict"
    default_message = _l("Somebody changed this a moment ago. Look at the new state and try again.")


class Invalid(DomainError):
    """Input that cannot be used. `errors` maps each field to its messages."""

    status, code = 422, "invalid"
    default_message = _l("Some entries need a correction. They are marked below.")

    def __init__(self, errors: dict[str, list[Any]], message: Any = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.errors = errors


class PreconditionFailed(DomainError):
    status, code = 412, "stale"
    default_message = _l("This was changed meanwhile. Load it again and repeat your edit.")


class PreconditionRequired(DomainError):
    status, code = 428, "if_match_needed"
    default_message = _l("Send If-Match with the version you read.")


class TooLarge(DomainError):
    status, code = 413, "too_large"
    default_message = _l("The upload is too large. Send at most 10 photos of 10 MB each.")


class TooMany(DomainError):
    status, code = 429, "too_many"
    default_message = _l("Too many attempts. Wait a minute and try again.")
