"""Wiring: when this happens, these functions run, in the same transaction, and only write rows."""

from fieldservice.dispatch.areas import handlers as areas
from fieldservice.dispatch.day import handlers as day
from fieldservice.dispatch.plans import urgent
from fieldservice.feedback import handlers as feedback
from fieldservice.intake import notices as intake
from fieldservice.mechanisms.events import Handler, subscribe
from fieldservice.parts.availability import handlers as promises_of_parts
from fieldservice.parts.consignment import handlers as refills
from fieldservice.parts.consignment import notices as refill_notices
from fieldservice.parts.stocking import foresight as levels_foresight
from fieldservice.parts.transfers import services as transfers
from fieldservice.sales import handlers as sales
from fieldservice.workorders import foresight
from fieldservice.workorders import handlers as workorders
from fieldservice.workorders import notices as visits
from fieldservice.workorders import promised_parts as parts

ANSWERS: dict[str, tuple[Handler, ...]] = {
    "service_request.resolved": (feedback.invite_when_resolved,),
    "service_request.cancelled": (workorders.cancel_with_request,),
    "service_request.closed": (workorders.close_with_request,),
    "work_order.ready": (urgent.think,),
    "work_order.cancelled": (workorders.withdraw_rescue, parts.release_all),
    "work_order.completed": (parts.release_all,),
    "work_order.cannot_complete": (parts.release_all,),
    "rescue.asked": (sales.open_for_rescue,),
    "rescue.approved": (visits.tell_approved,),
    "rescue.refused": (visits.tell_refused,),
    "clock.warned": (intake.tell_team_of_promise,),
    "clock.breached": (intake.tell_team_of_promise,),
    "visit.scheduled": (visits.tell_plan, parts.follow_plan),
    "visit.rescheduled": (visits.tell_plan, day.follow, parts.follow_plan),
    "visit.cancelled": (visits.tell_called_off, day.follow, parts.follow_plan),
    "visit.missed": (visits.tell_called_off, day.follow, parts.follow_plan),
    "visit.en_route": (visits.tell_on_the_way, day.follow),
    "visit.declined": (day.follow, parts.follow_plan),
    "visit.need_withdrawn": (parts.drop_surplus,),
    "visit.on_site": (day.follow,),
    "visit.in_progress": (day.follow,),
    "visit.paused": (day.follow,),
    "visit.completed": (day.follow,),
    "visit.partially_completed": (day.follow,),
    "visit.cannot_complete": (day.follow,),
    "stock.moved": (promises_of_parts.look_after_promises,),
    "reservation.requested": (parts.tell_loss,),
    "reservation.let_down": (parts.tell_loss,),
    "reservation.later": (parts.tell_late,),
    "reservation.reserved": (parts.tell_found,),
    "reservation.released": (parts.tell_found, transfers.withdraw_unwanted),
    "refill_order.confirmed": (refill_notices.tell_confirmed,),
    "transfer.shipped": (refills.follow_shipment,),
    "transfer.cancelled": (refills.follow_cancelled,),
    "transfer.not_arrived": (refills.follow_lost,),
    "slow_area.drawn": (areas.look_at_the_day,),
    "slow_area.ended": (areas.look_at_the_day,),
}


def install() -> None:
    """Connect the capabilities; called by the app factory."""
    subscribe(ANSWERS)
    levels_foresight.wire(foresight.SOURCES)
