"""What a tablet needs for the next days, as JSON: visits with all that belongs to them, stock, checklists, catalogue.

Texts are in the reader's language. The stamp names the content; a tablet that has it already is told so, and
the catalogue (fault patterns, codes) is sent only when its own version changed.
"""

import hashlib
from functools import cache
from itertools import chain
from typing import Any

from flask_babel import lazy_gettext as _l

from config import LANGUAGES
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import dumps, session
from fieldservice.foundation.errors import Forbidden
from fieldservice.foundation.time import now, today
from fieldservice.foundation.words import all_words, language, pick, word
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.forms import CODE_PATTERN, Field
from fieldservice.parts.models import WHOLE
from fieldservice.stations.models import Technician
from fieldservice.workorders import catalogue, findings
from fieldservice.workorders.onsite import arriving
from fieldservice.workorders.phrases import phrases
from fieldservice.workorders.tablet.limits import limits
from fieldservice.workorders.tablet.rows import Rows, rows_of
from fieldservice.workorders.tablet.values import number, time_text
from fieldservice.workorders.tablet.visit import Content, form_key, visit_content
from fieldservice.workorders.wording import wording

CODE_LISTS = (
    *findings.CODES,
    "conduct",
    "readiness",
    "check_in",
    "cannot_complete_reason",
    "severity",
    "state",
    "tier",
    "promise",
    "coverage",
)


def snapshot(person: Person, since: str = "") -> Content:
    """The technician's snapshot; `since` is the stamp of the one the tablet holds.

    Raises Forbidden when the account belongs to no technician.
    """
    technician = session.get(Technician, person.technician_id) if person.technician_id is not None else None
    if technician is None:
        raise Forbidden(_l("Your account belongs to no technician. Ask your administrator."), code="no_technician")
    rows = rows_of(technician)
    content = {
        "language": language(),
        "today": today().isoformat(),
        "technician": {"id": technician.id, "name": pick(technician.names)},
        "limits": limits(),
        "location": {"version": arriving.CONSENT_VERSION, "given": arriving.consents(person.user_id)},
        "visits": [visit_content(visit, rows) for visit in rows.visits],
        "forms": _forms(rows),
        "stock": [_location(place, rows) for place in rows.locations],
        "to_return": rows.to_return.content(),
        "parts": {str(part.id): _part(part) for part in rows.parts.values()},
    }
    known = _catalogue(language(), tuple(templates.latest(catalogue.PATTERN)))
    stamp = f"{_digest(content)}-{known['version']}"
    if since == stamp:
        return {"stamp": stamp, "now": time_text(now()), "unchanged": True}
    fresh = since.rpartition("-")[2] == known["version"]
    return {
        "stamp": stamp,
        "now": time_text(now()),
        "unchanged": False,
        **content,
        "catalogue": None if fresh else known,
    }


def _digest(content: Content) -> str:
    return hashlib.sha256(dumps(content).encode()).hexdigest()[:24]


# What visits share ------------------------------------------------------------------------------------


def _forms(rows: Rows) -> Content:
    orders = {form_key(visit.work_order): visit.work_order for visit in rows.visits}
    return {key: [_field(field) for field in catalogue.checklist_of(order).fields] for key, order in orders.items()}


def _field(field: Field) -> Content:
    return {
        "code": field.code,
        "type": field.type,
        "label": pick(field.label),
        "hint": pick(field.hint),
        "required": field.required,
        "unit": field.unit,
        "low": number(field.low),
        "high": number(field.high),
        "nominal": number(field.nominal),
        "moment": field.moment,
        "most": field.most,
        "pattern": CODE_PATTERN if field.type == "code" else None,
        "options": [{"code": option.code, "label": pick(option.names)} for option in field.options],
        "labels": field.label,  # the report may be read in the other language
        "option_labels": {option.code: option.names for option in field.options},
    }


def _location(place: Any, rows: Rows) -> Content:
    return {
        "id": place.id,
        "kind": place.kind,
        "name": pick(place.names),
        "on_hand": {str(part): number(quantity) for part, quantity in rows.stock.get(place.id, {}).items()},
    }


def _part(part: Any) -> Content:
    return {
        "number": part.number,
        "name": pick(part.names),
        "names": part.names,
        "unit": word("part_unit", part.unit),
        "unit_code": part.unit,
        "serial": part.serial_tracked,
        "batch": part.batch_tracked,
        "wears": part.wears,
        "gtin": part.gtin,
        "whole": part.unit in WHOLE,
        "price": part.price,  # in minor units
    }


# The catalogue ------------------------------------------------------------------------------------------


@cache
def _catalogue(spoken: str, _versions: tuple[templates.Definition, ...]) -> Content:
    """Fault patterns for search, and code lists, in one language; made once for each state of the patterns."""
    content: Content = {
        "patterns": [_pattern(one, spoken) for one in catalogue.patterns()],
        "codes": {
            name: [{"code": code, "label": pick(texts, spoken)} for code, texts in all_words()[name].items()]
            for name in CODE_LISTS
        },
        "phrases": phrases(),  # in both languages: the customer may speak the other one
        "report": {lang: wording(lang) for lang in LANGUAGES},
    }
    return {"version": f"{spoken}.{_digest(content)[:12]}", **content}


def _pattern(one: catalogue.FaultPattern, spoken: str) -> Content:
    return {
        "code": one.code,
        "symptom": one.symptom[spoken],
        "search": [*one.symptom.values(), *chain.from_iterable(one.words.values())],
        "remedy": dict(one.remedy),  # the customer may speak the other language
        "lesson": pick(one.lesson, spoken),
        "work_type": one.work_type,
        "failure_mode": one.mode,
        "failure_mechanism": one.mechanism,
        "failure_cause": one.cause,
        "detection": one.detection,
        "activity": one.activity,
        "parts": [[part, number(quantity)] for part, quantity in one.parts],
    }
