"""The OpenAPI description says of every call what all of them share: how it is proved, what is refused and how."""

from typing import Any

from apispec import APISpec, BasePlugin

PROBLEM = {
    "description": "Why not, and what to do next (RFC 9457). `errors` names the fields.",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer", "minimum": 400, "maximum": 599},
                    "code": {"type": "string", "description": "Stable; for programs."},
                    "detail": {"type": "string", "description": "A sentence in the caller's language."},
                    "errors": {
                        "type": "object",
                        "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    },
                },
            }
        }
    },
}
KEY_PATTERN = r"^[!-~]{1,120}$"
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "description": "The same key and body give the same answer for 24 hours.",
}
MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]+$"},
    "description": "The `etag` that was read.",
}
ANYBODY: list[dict[str, list[str]]] = [{}, {"bearer": []}]
TOKEN: list[dict[str, list[str]]] = [{"bearer": []}]
BY_COMMAND = "/api/v1/tablet/"  # each command and upload has an id of its own
OPEN = ("/api/v1/service-requests",)  # its POST: the public form's rules without a token


class Shared(BasePlugin):
    """Adds what is the same everywhere, so that no view repeats it."""

    def init_spec(self, spec: APISpec) -> None:
        spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        spec.components.response("PROBLEM", PROBLEM)

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        for method, operation in (operations or {}).items():
            if not isinstance(operation, dict):
                continue
            answers: dict[Any, Any] = operation.setdefault("responses", {})
            answers["default"] = "PROBLEM"
            for code in ("422", 422):
                answers.pop(code, None)
            if not any(str(code).startswith("2") for code in answers):
                answers["200"] = {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
            operation["security"] = ANYBODY if method == "post" and path in OPEN else TOKEN
            if method == "post" and not str(path).startswith(BY_COMMAND):
                operation.setdefault("parameters", []).append(KEY)
            if method == "patch":
                operation.setdefault("parameters", []).append(MATCH)
