"""Our own certificate authority, so that tablets on a network come over HTTPS without buying a certificate.

The authority is made once and lasts ten years: tablets trust it, so it stays when the server's certificate is
renewed. All lies in the instance folder, readable by its owner only.
"""

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LASTS = timedelta(days=3650)
SERVER_LASTS = timedelta(days=397)  # browsers refuse more
RENEW_BEFORE = timedelta(days=30)
BACKDATED = timedelta(days=1)  # clocks of tablets may be behind
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Certificates:
    """Where the files lie."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.crt"

    @property
    def server(self) -> Path:
        """The server's certificate followed by the authority's, as servers hand it out."""
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"


def certificates(instance: Path) -> Certificates:
    """The place of the certificates of an installation."""
    return Certificates(instance / "tls")


def ready(instance: Path, names: Iterable[str], at: datetime) -> Certificates:
    """Certificates for these host names and addresses; made, or renewed when they run out or do not fit any more."""
    files, wanted = certificates(instance), sorted(set(names))
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_key = files.folder / "authority.key"
    if not (files.authority.exists() and authority_key.exists()) or _ends(files.authority) < at + SERVER_LASTS:
        _make_authority(files.authority, authority_key, at)
        files.server.unlink(missing_ok=True)
    if not _fits(files, wanted, at):
        _make_server(files, authority_key, wanted, at)
    return files


def renew(context: ssl.SSLContext, instance: Path, names: Iterable[str], at: datetime) -> None:
    """Have a running server show a renewed certificate to whoever connects from now on; nothing restarts."""
    files = ready(instance, names, at)
    context.load_cert_chain(files.server, files.key)


def machine_names() -> list[str]:
    """The names and addresses under which other machines may reach this one."""
    addresses = [
        one.address.split("%")[0]
        for card in psutil.net_if_addrs().values()
        for one in card
        if one.family in (socket.AF_INET, socket.AF_INET6)
    ]
    usable = [text for text in addresses if not ipaddress.ip_address(text).is_link_local]
    host = socket.gethostname()
    return sorted({"localhost", host, *([f"{host}.local"] if "." not in host else []), *usable})


def network_address() -> str:
    """The address that other machines of the network most likely reach; this machine's own when there is none."""
    known = [ipaddress.ip_address(name) for name in machine_names() if _is_address(name)]
    outside = [one for one in known if one.version == 4 and not one.is_loopback]
    private = [one for one in outside if one.is_private]
    return str(next(iter(private or outside), "127.0.0.1"))


def fingerprint(path: Path) -> str:
    """SHA-256 of a certificate as devices show it: AB:CD:…"""
    return _read(path).fingerprint(hashes.SHA256()).hex(":").upper()


def _fits(files: Certificates, names: list[str], at: datetime) -> bool:
    if not (files.server.exists() and files.key.exists()) or _ends(files.server) < at + RENEW_BEFORE:
        return False
    found = _read(files.server).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}
    return held >= set(names)


def _make_authority(certificate: Path, key_path: Path, at: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"FieldService 360 ({socket.gethostname()})")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _begin(name, name, key.public_key(), at, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _keep(key_path, _key_bytes(key))
    _keep(certificate, made.public_bytes(serialization.Encoding.PEM))


def _make_server(files: Certificates, authority_key: Path, names: list[str], at: datetime) -> None:
    authority = _read(files.authority)
    signer = serialization.load_pem_private_key(authority_key.read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    called: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name) for name in names
    ]
    made = (
        _begin(_name(names[0][:60]), authority.subject, key.public_key(), at, SERVER_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(called), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _keep(files.key, _key_bytes(key))
    _keep(files.server, made.public_bytes(serialization.Encoding.PEM) + files.authority.read_bytes())


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(at - BACKDATED).not_valid_after(at - BACKDATED + lasts)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by the owner only from the first byte."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _ends(path: Path) -> datetime:
    return _read(path).not_valid_after_utc


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
