"""What each kind of command carries and does (CONTRACT: tablet command kinds). More may be added; none is renamed."""

from collections.abc import Mapping

from fieldservice.workorders.tablet.kinds import lines, recorded, steps
from fieldservice.workorders.tablet.kinds.base import Deed, Kind, Own

__all__ = ["KINDS", "Deed", "Kind", "Own"]

KINDS: Mapping[str, Kind] = {
    "move": Kind(steps.Move(), steps.move),
    "answer": Kind(recorded.AnswerField(), recorded.answer),
    "part": Kind(lines.Part(), lines.part),
    "photo": Kind(recorded.Photo(), recorded.photo),
    "summary": Kind(recorded.Summary(), recorded.summary),
    "failure": Kind(recorded.Failure(), recorded.failure),
    "signature": Kind(recorded.Signature(), recorded.signature),
    "note": Kind(recorded.Note(), recorded.note),
    "need": Kind(lines.Need(), lines.need),
    "coverage": Kind(lines.Coverage(), lines.coverage),
    "extra": Kind(lines.Extra(), lines.extra),
    "follow_up": Kind(recorded.FollowUpJob(), recorded.follow_up),
    "time": Kind(recorded.Time(), recorded.time),
    "consent": Kind(steps.Consent(), steps.consent, of_visit=False),
}
