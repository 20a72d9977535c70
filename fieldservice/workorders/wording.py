"""Sentences of the report that the PDF and the tablet's own screen share, in either language.

The tablet gets both languages in its snapshot, since the customer may read another one than the technician.
"""

from functools import cache
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.words import all_words, pick

# Reasons of coverage.py, as the customer reads them; %(day)s is the end of the warranty.
REASONS: dict[str, Any] = {
    "approved": _l("Extra work you approved"),
    "goodwill": _l("Goodwill: free of charge"),
    "contract": _l("Covered by your service contract"),
    "wears": _l("Wear part, not covered by the warranty"),
    "in_warranty": _l("Within the warranty until %(day)s"),
    "reported_in_warranty": _l("Reported within the warranty, which ended on %(day)s"),
    "warranty": _l("Under warranty"),
    "other_maker": _l("Machine of another maker"),
    "machine_unknown": _l("The machine is not known to us"),
    "warranty_over": _l("The warranty ended on %(day)s"),
    "agreed": _l("Charged, as agreed with you"),
    "no_warranty": _l("No warranty is on record"),
}
PHRASES: dict[str, Any] = {
    "heading": _l("Service report"),
    "customer": _l("Customer"),
    "site": _l("Site"),
    "machine": _l("Machine"),
    "work": _l("Work"),
    "technician": _l("Technician"),
    "told": _l("What you told us"),
    "summary": _l("What we found and did"),
    "open": _l("What is left to do"),
    "times": _l("Times"),
    "arrived": _l("Arrived"),
    "working": _l("Working time"),
    "driving": _l("Travel"),
    "labour": _l("Labour"),
    "travel": _l("Travel"),
    "checks": _l("Checks and readings"),
    "check": _l("Check"),
    "result": _l("Result"),
    "tolerance": _l("Tolerance"),
    "ok": _l("OK"),
    "out": _l("out"),
    "yes": _l("Yes"),
    "no": _l("No"),
    "photos": _l("Photos"),
    "lines": _l("Work and parts"),
    "item": _l("Item"),
    "quantity": _l("Quantity"),
    "covered": _l("Covered by"),
    "pays": _l("You pay"),
    "total": _l("Total"),
    "saved": _l("Covered for you"),
    "prices": _l("Amounts are list prices; the invoice decides."),
    "serial": _l("S/N %(serial)s"),
    "removed": _l("removed S/N %(serial)s"),
    "batch": _l("batch %(batch)s"),
    "minutes": _l("%(n)s min"),
    "included": _l("in the extra work"),
    "pending": _l("waits for approval"),
    "signature": _l("Signature of the customer"),
    "unsigned": _l("Not signed"),
    "thanks": _l("Thank you for your trust."),
    "extra": _l("Extra work"),
    "wears_words": _l("Wear parts that the warranty does not cover"),
    "extra_lead": _l("This work goes beyond the order. It is done only if you approve it, at this price."),
    "approve": _l("I approve"),
    "decline": _l("I decline"),
    "approved_by": _l("Approved by %(name)s"),
    "declined": _l("Declined"),
    "name": _l("Your name"),
    "sign": _l("Sign here"),
    "unfinished": _l("Work is not finished yet"),
}


def reason_text(code: str, day: str = "") -> str:
    """A reason in the current language; `day` is the end of the warranty."""
    return str(REASONS[code]) % {"day": day}


@cache
def wording(lang: str) -> dict[str, str]:
    """Everything the tablet's report says, in one language; placeholders unfilled."""
    with force_locale(lang):
        said = {name: str(text) for name, text in PHRASES.items()}
        said |= {f"why_{code}": str(text) for code, text in REASONS.items()}
    covers = {f"cover_{code}": pick(names, lang) for code, names in all_words()["coverage"].items()}
    units = {f"unit_{code}": pick(names, lang) for code, names in all_words()["part_unit"].items()}
    return {**said, **covers, **units}
