"""Certificates that tests make for themselves: a CA, that of the sign-in host, and those of apps."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@functools.cache
def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the CA of this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("ingest-tui test CA")
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(
        x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )  # fmt: skip
    return builder.sign(key, hashes.SHA256()), key


def ca_bundle(folder: Path) -> Path:
    """Write the CA's certificate; returns its path, to be named in REQUESTS_CA_BUNDLE."""
    path = folder / "test-ca.pem"
    path.write_bytes(authority()[0].public_bytes(serialization.Encoding.PEM))
    return path


@functools.cache
def server_context() -> ssl.SSLContext:
    """Return the TLS settings of a server on loopback."""
    ca, ca_key = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = _builder(_name("localhost"), ca.subject, key)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    certificate = builder.sign(ca_key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def app_certificate(password: str | None = None) -> tuple[str, str]:
    """Return a certificate and its private key as PEM texts, the key encrypted when there is a password."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = _name("ingest-tui")
    certificate = _builder(name, name, key).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key, password).decode()


def _builder(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: Key, password: str | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
