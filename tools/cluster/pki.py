"""Who is who in a cluster: certificate authorities, and a certificate for each program.

Groups and names are Kubernetes' own, see "PKI certificates and requirements" in
its documentation. Only the administrator is in ``system:masters``.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365
_SKEW = datetime.timedelta(minutes=5)
"""Certificates hold a little earlier than now: machine nodes' clocks may be behind."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files in PEM form."""

    certificate: Path
    key: Path

    @classmethod
    def at(cls, folder: Path, name: str) -> Pair:
        """Return the pair of a name; the files need not exist yet."""
        return cls(folder / f"{name}.crt", folder / f"{name}.key")


@dataclass(frozen=True)
class Authority:
    """A certificate authority that signs certificates of programs."""

    pair: Pair
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path, name: str) -> Authority:
        """Make a new authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name, ())
        builder = _builder(subject, subject, key.public_key())
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
        pair = Pair.at(folder, name)
        _write(pair, certificate, key)
        return cls(pair, certificate, key)

    @classmethod
    def read(cls, folder: Path, name: str) -> Authority:
        """Return an authority that was made before."""
        pair = Pair.at(folder, name)
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # made above
        return cls(pair, x509.load_pem_x509_certificate(pair.certificate.read_bytes()), key)

    def issue(
        self,
        file: str,
        name: str,
        groups: Sequence[str] = (),
        *,
        hosts: Sequence[str] = (),
        client: bool = True,
    ) -> Pair:
        """Make a certificate for a program.

        Args:
            file: name of the files, without ending.
            name: common name; Kubernetes' user name.
            groups: organizations; Kubernetes' groups.
            hosts: DNS names and addresses that the program serves at; none for a mere client.
            client: whether the program may show it to others' servers.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(name, groups), self._certificate.subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        uses += [ExtendedKeyUsageOID.SERVER_AUTH] * bool(hosts)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if hosts:
            builder = builder.add_extension(_alternatives(hosts), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        pair = Pair.at(self.pair.key.parent, file)
        _write(pair, builder.sign(self._key, hashes.SHA256()), key)
        return pair


def make_key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Make the key that signs service accounts' tokens; return private and public file."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    _write_closed(private, _private(key))
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(encoding, form))
    return private, public


def _subject(name: str, groups: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(host) for host in hosts])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_closed(pair.key, _private(key))


def _write_closed(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, not even for a moment."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
