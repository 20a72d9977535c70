"""Transfers as JSON (CONTRACT §3)."""

from typing import Any

from flask import Response
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.parts.queries import parts_by_number
from fieldservice.parts.transfers import asking, schemas
from fieldservice.parts.transfers.queries import KEEPERS

blueprint = ApiBlueprint("transfers", __name__, "Transfers of parts between places")


@blueprint.post("/transfers")
@roles(*KEEPERS)
@blueprint.arguments(schemas.TransferSchema)
@blueprint.alt_response(201, schema=schemas.OpenedSchema)
def open_transfer(args: dict[str, Any]) -> Response:
    """Ask for parts to be sent; once per Idempotency-Key. 409 where `approve` is asked and too little is free there."""

    def work() -> dict[str, Any]:
        known = parts_by_number(line["part"] for line in args["lines"])
        if unknown := [line["part"] for line in args["lines"] if line["part"] not in known]:
            message = _l("“%(text)s” is not in the catalogue.", text=unknown[0][:40])
            raise Invalid({"lines": [message]}, code="unknown_part")
        wanted = [(known[line["part"]], line["quantity"]) for line in args["lines"]]
        opened = asking.ask_for(
            args["source"], args["target"], wanted, current(), expected_at=args["expected_at"], at=now(),
            told=args, approve=args["approve"],
        )  # fmt: skip
        return schemas.told(opened, args["source"], args["target"])

    return perform(work, schemas.OpenedSchema())
