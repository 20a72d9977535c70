"""One visit of a tablet's snapshot, as JSON. Plain reading of rows that were fetched together (rows.py)."""

from decimal import Decimal
from typing import Any

from config import LANGUAGES
from fieldservice.assets.models import Asset
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.time import now, today
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.mechanisms.forms import Answer as GivenAnswer
from fieldservice.stations.models import Technician
from fieldservice.workorders import catalogue, findings, lines
from fieldservice.workorders.models import ExtraWork, TabletUpload, Visit, WorkItem, WorkOrder
from fieldservice.workorders.onsite import leaving
from fieldservice.workorders.pickups import Pickup
from fieldservice.workorders.rates import rates_of
from fieldservice.workorders.skills import certificate_word
from fieldservice.workorders.tablet.rows import PastOrder, Rows
from fieldservice.workorders.tablet.values import day_text, number, time_text

Content = dict[str, Any]
NO_ZONE = "none"  # words.yaml hazard_zone
PROMISES = ("arrival", "restore")  # what counts down on the tablet
NEWEST = 2  # jobs of the other parts of a machine


def visit_content(visit: Visit, rows: Rows) -> Content:
    """Everything the tablet shows and needs of a visit."""
    order = visit.work_order
    return {**_job(visit, order, rows), **_place_and_time(visit, order, rows), **_recorded(visit, order, rows)}


def _job(visit: Visit, order: WorkOrder, rows: Rows) -> Content:
    """What is to be done, and who pays."""
    request = order.request
    return {
        "id": visit.id,
        "version": visit.version,
        "state": visit.state,
        "number": order.number,
        "title": order.title,
        "priority": order.priority,
        "kind": order.kind,
        "corrective": order.kind in findings.CORRECTIVE,
        "coverage": order.coverage,
        "cover": _cover(order),
        "choices": {
            row.line: {"coverage": row.coverage, "reason": row.reason} for row in rows.choices.get(order.id, [])
        },
        "extras": [_extra(extra, rows) for extra in rows.extras.get(order.id, [])],
        "waiver": rows.waivers.get(order.id, ""),
        "words": request.description if request else "",
        "likely": _likely(order),
        "severity": request.severity if request else None,
        "customer_language": rows.callers[order.id].language if order.id in rows.callers else "zh",
        "work_type": pick(catalogue.work_type(order.work_type, order.work_type_version).names),
        "work_type_code": order.work_type,
        "form": form_key(order),
        "planned": _planned(visit, rows),
        **_open_items(visit, rows),
        "certificates": _certificates(order, rows.technician),
        **_needed(order),
        "conduct": leaving.conduct_required(visit.station_id),
    }


def _place_and_time(visit: Visit, order: WorkOrder, rows: Rows) -> Content:
    """Where, when, for whom, at which machine."""
    customer = order.customer or (order.request.customer if order.request else None)
    return {
        "starts_at": time_text(visit.starts_at),
        "ends_at": time_text(visit.ends_at),
        "window": [time_text(visit.window_starts_at), time_text(visit.window_ends_at)],
        "travel_min": visit.travel_min,
        "duration_min": order.duration_min,
        "customer": {"name": pick(customer.names), "tier": customer.tier} if customer else None,
        "station": pick(order.station.names),
        "site": _site(visit, rows),
        "pickup": _pickup(rows.pickups.get(visit.id)),
        "contact": _contact(visit, rows),
        "clocks": _clocks(order, rows),
        "asset": _asset(order, rows),
        "names": {lang: _names(visit, lang) for lang in LANGUAGES},
        "messages": _messages(order, rows),
    }


def _recorded(visit: Visit, order: WorkOrder, rows: Rows) -> Content:
    """What technicians have done and said so far, at this visit and before."""
    return {
        "answers": _answers(visit, rows),
        "used": _used(visit, rows),
        "findings": _findings(order, rows),
        "follow_ups": _follow_ups(visit, rows),
        "corrections": {
            row.kind: {"minutes": row.minutes, "reason": row.reason} for row in rows.corrections.get(visit.id, [])
        },
        "check_in": rows.arrivals[visit.id].check_in if visit.id in rows.arrivals else None,
        "failure": {name: getattr(order, name) for name in ("pattern", *findings.CODES, "unknown_reason")},
        "summary": order.summary,
        "technical_note": order.technical_note,
        "photos": _photos(visit, rows),
        "signature": _signature(visit, rows),
        "times": _times(visit),
        "paused_min": visit.paused_min,
        "restored": visit.restored,
        "end_reason": visit.end_reason,
        "before": [_before(other, rows) for other in order.visits if other.finished_at and other.id != visit.id],
    }


def _pickup(stop: Pickup | None) -> Content | None:
    """The stop at a store before it, as a place that can be driven to."""
    if stop is None:
        return None
    return {
        "starts_at": time_text(stop.span.starts_at),
        "ends_at": time_text(stop.span.ends_at),
        "name": pick(stop.names),
        "address": stop.address,
        "point": [stop.point.latitude, stop.point.longitude],
        "parts": stop.things,
    }


def _likely(order: WorkOrder) -> list[str]:
    """Fault patterns the customer's words speak of, best first: one touch at the machine fills all codes (N-11)."""
    if order.request is None or order.kind not in findings.CORRECTIVE:
        return []
    return [one.code for one in catalogue.find_patterns(order.request.description, work_type=order.work_type, limit=3)]


def _site(visit: Visit, rows: Rows) -> Content:
    order, request = visit.work_order, rows.callers.get(visit.work_order_id)
    site = order.site
    point = order.precision == "point" and order.latitude is not None and order.longitude is not None
    return {
        "name": pick(site.names) if site else "",
        "address": (site.address if site else "") or (request.address if request else ""),
        "access": pick(site.access_rules) if site else "",
        "point": [order.latitude, order.longitude] if point else None,
    }


def _contact(visit: Visit, rows: Rows) -> Content | None:
    request = rows.callers.get(visit.work_order_id)
    if request is None:
        return None
    return {
        "name": request.contact_name,
        "phone": request.contact_phone,
        "phone_text": phone_text(request.contact_phone) if request.contact_phone else "",
        "confirmed_at": time_text(visit.confirmed_at),
    }


def _clocks(order: WorkOrder, rows: Rows) -> list[Content]:
    return [
        {
            "kind": one.kind,
            "state": one.state,
            "started_at": time_text(one.started_at),
            "due_at": time_text(one.due_at),
            "stopped_at": time_text(one.stopped_at),
            "due_text": clocks.moment_text(one.due_at, now()),
        }
        for one in rows.clocks.get(order.request_id or 0, [])
        if one.kind in PROMISES
    ]


def _asset(order: WorkOrder, rows: Rows) -> Content | None:
    asset = order.asset
    if asset is None:
        serial = order.request.serial_given if order.request else ""
        return (
            {
                "id": None,
                "name": serial,
                "serial": serial,
                "model": "",
                "brand": "",
                "warranty_until": None,
                "history": [],
                "tree": [],
            }
            if serial
            else None
        )
    return {
        "id": asset.id,  # what its QR code says
        "name": pick(asset.names),
        "serial": asset.serial,
        "model": asset.model,
        "brand": asset.brand,
        "warranty_until": day_text(asset.warranty_until),
        "history": [_past(past) for past in rows.past.get(asset.id, []) if past.order.id != order.id],
        "tree": _tree(asset, rows),
    }


def _tree(asset: Asset, rows: Rows) -> list[Content]:
    """The whole machine from its top, each part with its newest jobs; empty for a machine that stands alone."""
    tree = rows.machines.tree_of(asset.id) if asset.id in rows.machines.by_id else []
    if len(tree) < 2:
        return []
    return [
        {"depth": depth, "name": pick(one.names), "serial": one.serial, "model": one.model, "here": one.id == asset.id,
         "warranty_until": day_text(one.warranty_until),
         "history": [_past(past) for past in rows.past.get(one.id, [])[:NEWEST]] if one.id != asset.id else []}
        for depth, one in tree
    ]  # fmt: skip


def _past(past: PastOrder) -> Content:
    order = past.order
    return {
        "number": order.number,
        "at": time_text(order.completed_at),
        "title": pick(catalogue.work_type(order.work_type, order.work_type_version).names),
        "technician": pick(past.technician.names) if past.technician else "",
        "mode": order.failure_mode,
        "pattern": order.pattern,
        "note": (order.technical_note or order.summary)[:200],
    }


def _answers(visit: Visit, rows: Rows) -> Content:
    """Answers of all visits of the order, the latest of each field; those of this visit can be changed here."""
    shown: Content = {}
    for row in rows.answers.get(visit.work_order_id, []):
        given = GivenAnswer.from_stored(row.content)
        value = str(given.value) if isinstance(given.value, Decimal) else given.value
        shown[row.field] = {
            "value": value, "out": row.out_of_tolerance, "note": row.note, "at": time_text(row.at),
            "mine": row.visit_id == visit.id,
        }  # fmt: skip
    return shown


def _planned(visit: Visit, rows: Rows) -> list[Content]:
    return [
        {"item": item.id, "part": item.part_id, "quantity": number(item.quantity or Decimal(1)),
         "required": item.required, "done": item.done_at is not None, "words": _needed_words(item),
         "command": item.command_id, "mine": item.opened_visit_id == visit.id}
        for item in rows.items.get(visit.work_order_id, [])
        if item.kind == "part" and item.part_id is not None
    ]  # fmt: skip


def _used(visit: Visit, rows: Rows) -> list[Content]:
    return [
        {"id": f"use-{use.id}", "part": use.part_id, "quantity": number(use.quantity), "location": place,
         "serial": use.serial, "removed_serial": use.removed_serial, "batch": use.batch, "command": use.command_id,
         "at": time_text(use.at), "day": _day_of(visit, use.visit_id), "mine": use.visit_id == visit.id}
        for use, place in rows.uses.get(visit.work_order_id, [])
    ]  # fmt: skip


def _needed_words(item: WorkItem) -> str:
    """Why a visit asked for it; planned parts carry their name there."""
    return item.words if item.opened_visit_id is not None else ""


def _day_of(visit: Visit, other_id: int) -> str:
    """The day a line of that visit of the order counts for."""
    other = next((one for one in visit.work_order.visits if one.id == other_id), visit)
    return str(lines.day_of(other))


def _cover(order: WorkOrder) -> Content:
    """What decides who pays, for the tablet's own table of rules (lines.js), and what hours cost."""
    cover, rates = lines.cover_of(order), rates_of(order.station_id)
    return {
        "until": day_text(cover.until), "known": cover.machine_known, "other_maker": cover.other_maker,
        "labour_rate": rates.labour, "travel_rate": rates.travel, "goodwill_limit": rates.goodwill,
    }  # fmt: skip


def _extra(extra: ExtraWork, rows: Rows) -> Content:
    return {
        "id": extra.extra_id, "words": extra.words, "total": extra.total, "decision": extra.decision,
        "lines": extra.lines, "at": time_text(extra.at), "name": rows.approvers.get(extra.id, ""),
    }  # fmt: skip


def _names(visit: Visit, lang: str) -> Content:
    """What the report calls things in that language; the customer may read another one than the technician."""
    order = visit.work_order
    customer = order.customer or (order.request.customer if order.request else None)
    return {
        "customer": pick(customer.names, lang) if customer else "",
        "site": pick(order.site.names, lang) if order.site else "",
        "asset": pick(order.asset.names, lang) if order.asset else "",
        "work": pick(catalogue.work_type(order.work_type, order.work_type_version).names, lang),
        "station": pick(order.station.names, lang),
        "technician": pick(visit.technician.names, lang),
    }


def _open_items(visit: Visit, rows: Rows) -> Content:
    """What is left from before, and what this visit itself found missing."""
    open_items: list[Content] = []
    needs: list[Content] = []
    for item in rows.items.get(visit.work_order_id, []):
        if item.kind != "part":
            mine = item.opened_visit_id == visit.id
            (needs if mine else open_items).append(
                {"id": item.id, "words": item.words, "required": item.required, "done": item.done_at is not None,
                 "command": item.command_id, "mine": mine}
            )  # fmt: skip
    return {"open_items": open_items, "needs": needs}


def _certificates(order: WorkOrder, technician: Technician) -> list[Content]:
    """What the job demands and until when the technician may do it (N-15)."""
    held = {one.kind: one.valid_until for one in technician.certificates}
    return [
        {
            "name": certificate_word(kind),
            "until": day_text(held.get(kind)),
            "valid": kind in held and held[kind] >= today(),
        }
        for kind in order.certificates
    ]


def _needed(order: WorkOrder) -> Content:
    """Tools to take along and permits to have, by the kind of work and the place."""
    kind = catalogue.work_type(order.work_type, order.work_type_version)
    zone = (order.site.environment or {}).get("hazard_zone", NO_ZONE) if order.site else NO_ZONE
    permits = [*kind.permits, *(["ex_zone"] if zone not in (None, "", NO_ZONE) else [])]
    return {
        "tools": [{"code": one.code, "name": pick(one.names), "calibrated": one.calibrated} for one in kind.tools],
        "permits": [{"code": code, "name": word("permit", code)} for code in permits],
    }


def _findings(order: WorkOrder, rows: Rows) -> list[Content]:
    return [{"field": one.field, "state": one.state} for one in rows.findings.get(order.id, [])]


def _follow_ups(visit: Visit, rows: Rows) -> list[Content]:
    return [
        {"words": one.words, "urgency": one.urgency, "number": one.work_order.number, "at": time_text(one.at)}
        for one in rows.follow_ups.get(visit.id, [])
    ]


def _photos(visit: Visit, rows: Rows) -> list[Content]:
    """Pictures of the visit, those still on their way, and the customer's own."""
    uploads = rows.uploads.get(visit.id, [])
    known = {upload.file_id: upload for upload in uploads if upload.file_id is not None}
    shown = [
        _photo(file, known.get(file.id)) for file in rows.files.get(("visit", visit.id), []) if file.kind == "photo"
    ]
    for upload in uploads:
        if upload.file_id is None and upload.kind == "photo" and upload.refusal is None:
            shown.append(_photo(None, upload))
    theirs = rows.files.get(("service_request", visit.work_order.request_id or 0), [])
    return shown + [{**_photo(file, None), "of": "customer"} for file in theirs if file.kind == "photo"]


def _photo(file: StoredFile | None, upload: TabletUpload | None) -> Content:
    return {
        "file": file.id if file else None,
        "upload": upload.upload_id if upload else None,
        "state": file.state if file else "waiting",
        "field": upload.field if upload else None,
        "moment": upload.moment if upload else None,
        "at": time_text(file.created_at if file else upload.taken_at if upload else None),
        "of": "visit",
    }


def _signature(visit: Visit, rows: Rows) -> Content | None:
    if visit.id not in rows.signed:
        return None
    at, name = rows.signed[visit.id]
    drawn = [file for file in rows.files.get(("visit", visit.id), []) if file.kind == "signature"]
    return {"at": time_text(at), "name": name, "file": drawn[-1].id if drawn and drawn[-1].state == "ready" else None}


def _times(visit: Visit) -> Content:
    names = (
        "dispatched_at", "accepted_at", "en_route_at", "eta_at", "on_site_at", "started_at", "paused_at", "finished_at",
    )  # fmt: skip
    return {name: time_text(getattr(visit, name)) for name in names}


def _before(visit: Visit, rows: Rows) -> Content:
    corrected = {row.kind: row.minutes for row in rows.corrections.get(visit.id, [])}
    labour, travel = lines.minutes_of(visit, corrected)
    return {
        "id": visit.id, "at": time_text(visit.finished_at), "state": visit.state, "day": str(lines.day_of(visit)),
        "technician": pick(visit.technician.names), "labour_min": labour, "travel_min": travel,
    }  # fmt: skip


def _messages(order: WorkOrder, rows: Rows) -> list[Content]:
    talk = rows.messages.get(order.request_id or 0, [])
    return [{"author": one.author, "words": one.words, "at": time_text(one.at)} for one in talk]


def form_key(order: WorkOrder) -> str:
    """The name of the order's checklist among the forms of the snapshot."""
    return f"{order.work_type}@{order.work_type_version}"
