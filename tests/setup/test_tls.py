"""Our own certificate: a real TLS client trusts it, it is renewed in time, and its keys are the owner's alone."""

import http.server
import ipaddress
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from flask import Flask

from fieldservice.setup import certificates
from fieldservice.setup.certificates import Certificates
from tests.conftest import NOW


@contextmanager
def serving(files: Certificates) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A small https server with these certificates."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], context
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def greet(port: int, name: str, trusted: Path | None) -> dict[str, Any]:
    """A full handshake of a client that checks chain and name; the certificate it got."""
    context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as new Pythons and iOS do
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        found = line.getpeercert()
        assert found is not None
        return dict(found)


def test_a_client_that_trusts_our_authority_comes_in(tmp_path: Path) -> None:
    from fieldservice.foundation.time import now

    files = certificates.ready(tmp_path, ["localhost", "service.local", "127.0.0.1", "192.168.1.20"], now())
    with serving(files) as (port, _context):
        for name in ("localhost", "service.local", "127.0.0.1", "192.168.1.20"):
            assert ("IP Address", "192.168.1.20") in greet(port, name, files.authority)["subjectAltName"]
        with pytest.raises(ssl.SSLCertVerificationError):
            greet(port, "elsewhere.local", files.authority)
        with pytest.raises(ssl.SSLCertVerificationError):
            greet(port, "localhost", None)


def test_a_running_server_shows_its_renewed_certificate(tmp_path: Path) -> None:
    from fieldservice.foundation.time import now

    files = certificates.ready(tmp_path, ["localhost"], now())
    with serving(files) as (port, context):
        before = greet(port, "localhost", files.authority)
        certificates.renew(context, tmp_path, ["localhost"], now())
        assert greet(port, "localhost", files.authority)["serialNumber"] == before["serialNumber"], "it is good yet"
        certificates.renew(context, tmp_path, ["localhost"], now() + certificates.SERVER_LASTS - timedelta(days=2))
        files.server.unlink()  # what is shown is what was loaded
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            greet(port, "localhost", files.authority)


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    files = certificates.ready(tmp_path, ["localhost"], NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files.folder.iterdir()}
    assert set(modes) == {"authority.crt", "authority.key", "server.crt", "server.key"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("days", "names", "server_stays", "authority_stays"),
    [
        (10, ["localhost"], True, True),
        (340, ["localhost"], True, True),
        (370, ["localhost"], False, True),  # it would run out within 30 days
        (10, ["localhost", "10.0.0.7"], False, True),  # the machine has a new address
        (3300, ["localhost"], False, False),  # the authority would end before the server's certificate
    ],
)
def test_certificates_are_renewed_in_time(
    tmp_path: Path, days: int, names: list[str], server_stays: bool, authority_stays: bool
) -> None:
    files = certificates.ready(tmp_path, ["localhost"], NOW)
    server, authority = files.server.read_bytes(), files.authority.read_bytes()
    certificates.ready(tmp_path, names, NOW + timedelta(days=days))
    assert (files.server.read_bytes() == server) is server_stays
    assert (files.authority.read_bytes() == authority) is authority_stays


def test_this_machine_knows_its_addresses() -> None:
    names = certificates.machine_names()
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(names)
    assert ipaddress.ip_address(certificates.network_address()).version == 4


def test_the_page_shows_code_certificate_and_fingerprint(
    sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.conftest import make_user

    files = certificates.ready(tmp_path, ["localhost"], NOW)
    secure = replace(
        sqlite_app.extensions["fieldservice.settings"], public_url="https://192.168.1.20:5000", instance_path=tmp_path
    )
    monkeypatch.setitem(sqlite_app.extensions, "fieldservice.settings", secure)
    client = sqlite_app.test_client()
    mark = make_user("dispatcher").fs_uniquifier
    with client.session_transaction() as browser:
        browser["_user_id"], browser["_fresh"] = mark, True
    page = client.get("/tablets?lang=en").get_data(as_text=True)
    assert certificates.fingerprint(files.authority) in page
    assert "https://192.168.1.20:5000/tablet" in page
    for name in ("address", "certificate"):
        assert client.get(f"/tablets/{name}.svg").get_data().startswith(b"<?xml")
    given = sqlite_app.test_client().get("/tablets/ca.crt")  # nobody is signed in on a new tablet
    assert given.get_data() == files.authority.read_bytes()
    assert b"PRIVATE" not in given.get_data()


def test_without_https_the_page_says_what_tablets_lack(sqlite_app: Flask, tmp_path: Path) -> None:
    assert sqlite_app.test_client().get("/tablets/ca.crt").status_code == 404
    assert sqlite_app.test_client().get("/tablets").status_code == 302


@pytest.mark.slow
def test_make_run_with_tls_is_trusted_and_sets_secure_cookies(tmp_path: Path) -> None:
    """The real server: https, its own certificate, __Host- cookies; and no start for others when unsafe."""
    import os
    import signal
    import subprocess
    import sys

    from config import ROOT
    from tests.served import free_port
    from tests.waiting import wait_until

    port, instance, log = free_port(), tmp_path / "instance", tmp_path / "log"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FIELDSERVICE_")}
    environ["FIELDSERVICE_INSTANCE_PATH"] = str(instance)
    command = [sys.executable, "-m", "fieldservice.serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--tls"], cwd=ROOT, env=environ, stdout=out, stderr=out)
        try:
            wait_until(lambda: "SHA-256" in log.read_text() or process.poll() is not None, seconds=90, what="it starts")
            context = ssl.create_default_context(cafile=str(instance / "tls" / "authority.crt"))

            def answers() -> bool:
                try:
                    with urlopen(f"https://127.0.0.1:{port}/setup/account", context=context, timeout=5) as answer:
                        cookies = answer.headers.get_all("Set-Cookie")
                        return any("__Host-session" in one and "Secure" in one for one in cookies or [])
                except ConnectionError:
                    return False
                except OSError as error:
                    if isinstance(getattr(error, "reason", None), ssl.SSLError):
                        raise
                    return False

            wait_until(answers, seconds=30, what="a trusted answer with secure cookies")
            process.send_signal(signal.SIGINT)  # Ctrl-C, as people stop it
            assert process.wait(20) == 0
            assert "Traceback" not in log.read_text()
        finally:
            process.kill()
            process.wait(20)
    everywhere = subprocess.run(
        [*command[:4], "0.0.0.0", "--port", str(port)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert everywhere.returncode == 1
    assert "FIELDSERVICE_PUBLIC_URL begins with http://" in everywhere.stdout
    assert "HOST=127.0.0.1" in everywhere.stderr
