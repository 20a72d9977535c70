"""How tablets come in: the address as a QR code, and the certificate to trust."""

from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, Response, render_template
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import public, roles
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.web import settings
from fieldservice.setup.certificates import certificates, fingerprint

blueprint = Blueprint("tablets", __name__)
MAY_SEE = ("admin", "station_manager", "dispatcher")


@blueprint.get("/tablets")
@roles(*MAY_SEE)
def page() -> Any:
    """Address, QR code, certificate and what to do on Android and iPad."""
    files = certificates(settings().instance_path)
    own = settings().secure_cookies and files.authority.exists()
    return render_template(
        "setup/tablets.html", address=f"{settings().public_url}/tablet", secure=settings().secure_cookies,
        fingerprint=fingerprint(files.authority) if own else "",
    )  # fmt: skip


@blueprint.get("/tablets/address.svg")
@roles(*MAY_SEE)
def address_code() -> Response:
    """The address of the tablets' page as a QR code."""
    return _svg(f"{settings().public_url}/tablet")


@blueprint.get("/tablets/certificate.svg")
@roles(*MAY_SEE)
def certificate_code() -> Response:
    """Where the certificate lies, as a QR code."""
    return _svg(f"{settings().public_url}/tablets/ca.crt")


@blueprint.get("/tablets/ca.crt")
@public
def authority() -> Response:
    """The certificate of our authority: public by nature, and needed before anybody can sign in safely."""
    files = certificates(settings().instance_path)
    if not files.authority.exists():
        raise NotFound(_l("This installation has no certificate of its own."))
    answer = Response(files.authority.read_bytes(), mimetype="application/x-x509-ca-cert")
    answer.headers["Content-Disposition"] = 'attachment; filename="fieldservice-360-ca.crt"'
    return answer


def _svg(text: str) -> Response:
    made = BytesIO()
    segno.make(text, error="m").save(made, kind="svg", scale=6, border=3, dark="#000", light="#fff", nl=False)
    return Response(made.getvalue(), mimetype="image/svg+xml")
