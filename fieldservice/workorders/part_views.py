"""Parts found by work: what similar jobs used, and the kits for them. On the blueprint of views.py beside it."""

from typing import Any

from flask import render_template, request

from fieldservice.foundation.access import roles
from fieldservice.foundation.words import all_words, pick
from fieldservice.parts.catalogue.queries import kit_for
from fieldservice.parts.sheet import READERS
from fieldservice.workorders import catalogue
from fieldservice.workorders.similar_parts import parts_of_similar_jobs
from fieldservice.workorders.views import blueprint


@blueprint.get("/parts/similar")
@roles(*READERS)
def parts_used() -> Any:
    """Parts of closed work on the same model, with the same fault or kind of work."""
    asked = {name: request.args.get(name, "").strip()[:80] for name in ("model", "failure_mode", "work_type")}
    kits = kit_for(asked["work_type"], asked["model"]) if asked["work_type"] else []
    return render_template(
        "workorders/similar_parts.html", asked=asked, kits=kits,
        found=parts_of_similar_jobs(
            model=asked["model"], failure_mode=asked["failure_mode"], work_type=asked["work_type"]
        ),
        modes=[(code, pick(texts)) for code, texts in all_words()["failure_mode"].items()],
        work_types=sorted((one.code, pick(one.names)) for one in catalogue.work_types()),
    )  # fmt: skip
