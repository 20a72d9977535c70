"""How the service report is answered, to staff and to the customer alike."""

from urllib.parse import quote

from flask import Response, current_app, request

from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.service_report.report import report_pdf


def answer_report(order: WorkOrder) -> Response:
    """The PDF in both languages; `?lang=` comes first, else the customer's own."""
    response = current_app.response_class(report_pdf(order, request.args.get("lang")), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(order.number)}.pdf"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
