"""Stock moves as JSON."""

from typing import Any

from flask import Response
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.parts import posting, queries, schemas

blueprint = ApiBlueprint("parts", __name__, "Parts")


@blueprint.post("/stock-moves")
@roles(*posting.KEEPERS)
@blueprint.arguments(schemas.StockMoveSchema)
@blueprint.alt_response(201, schema=schemas.PostedMoveSchema)
def move(args: dict[str, Any]) -> Response:
    """Post a move; once per Idempotency-Key. 409 with a code where less lies there, a batch has expired or a numbered
    piece is elsewhere."""

    def work() -> dict[str, Any]:
        part = queries.parts_by_number([args["part"]]).get(args["part"])
        if part is None:
            raise Invalid({"part": [_l("This part is not in the catalogue.")]}, code="unknown_part")
        posted = posting.post(posting.Wish(**{**args, "part": part}), current(), at=now())
        return schemas.told(posted, part.number, args["source"], args["target"])

    return perform(work, schemas.PostedMoveSchema())
