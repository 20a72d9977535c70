"""Records: master data that people enter, import, change, take back and export, each kind declared once as data.

A `Kind` names the fields of a thing, how a row of a table finds the one it means, and what creates it. Forms,
lists, history with undo, import with a dry run and export all follow from that declaration.
"""

from fieldservice.mechanisms.records.drafts import Draft, plan
from fieldservice.mechanisms.records.fields import Field
from fieldservice.mechanisms.records.kinds import Kind, kind_of, kinds, register
from fieldservice.mechanisms.records.models import ImportRun, RecordChange
from fieldservice.mechanisms.records.services import apply, changes_of, undo_change

__all__ = [
    "Draft", "Field", "ImportRun", "Kind", "RecordChange", "apply", "changes_of", "kind_of", "kinds", "plan",
    "register", "undo_change",
]  # fmt: skip
