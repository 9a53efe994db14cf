"""Certificates say who somebody is, what for, and where."""

import datetime
import ipaddress
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster.pki import Authority, Pair, make_key_pair


@pytest.fixture
def authority(tmp_path):
    return Authority.make(tmp_path, "ca")


def read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def words(certificate: x509.Certificate, what: x509.ObjectIdentifier) -> list[str]:
    return [row.value for row in certificate.subject.get_attributes_for_oid(what)]


def uses(pair: Pair) -> set[x509.ObjectIdentifier]:
    return set(read(pair).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_client_has_a_name_and_groups(authority):
    pair = authority.issue("kubelet", "system:node:a", ("system:nodes", "x"))
    certificate = read(pair)
    assert words(certificate, NameOID.COMMON_NAME) == ["system:node:a"]
    assert words(certificate, NameOID.ORGANIZATION_NAME) == ["system:nodes", "x"]
    assert uses(pair) == {ExtendedKeyUsageOID.CLIENT_AUTH}


def test_a_server_is_good_at_its_addresses_only(authority):
    pair = authority.issue("api", "api", hosts=("api.test", "10.0.0.1"), client=False)
    extension = read(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert extension.value.get_values_for_type(x509.DNSName) == ["api.test"]
    assert extension.value.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.0.0.1")]
    assert uses(pair) == {ExtendedKeyUsageOID.SERVER_AUTH}


def test_another_tool_believes_the_chain(authority, tmp_path):
    pair = authority.issue("api", "api", hosts=("api.test",))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
    command += ["-verify_hostname", "api.test", "-CAfile", str(authority.pair.certificate)]
    good = subprocess.run([*command, pair.certificate], capture_output=True, check=False)
    assert good.returncode == 0, good.stderr
    other = Authority.make(tmp_path, "other").issue("fake", "api", hosts=("api.test",))
    bad = subprocess.run([*command, other.certificate], capture_output=True, check=False)
    assert bad.returncode != 0


def test_an_issued_certificate_issues_nothing(authority):
    extensions = read(authority.issue("a", "a")).extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is False


def test_certificates_hold_now_and_for_months(authority):
    certificate = read(authority.issue("a", "a"))
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now
    assert certificate.not_valid_after_utc > now + datetime.timedelta(days=180)


def test_an_authority_that_was_read_signs_as_before(authority, tmp_path):
    pair = Authority.read(tmp_path, "ca").issue("late", "late")
    read(pair).verify_directly_issued_by(read(authority.pair))


def test_keys_are_closed_whatever_the_umask(authority, tmp_path):
    private, public = make_key_pair(tmp_path, "accounts")
    pair = authority.issue("a", "a")
    assert [path.stat().st_mode & 0o777 for path in (private, pair.key)] == [0o600, 0o600]
    assert "PUBLIC KEY" in public.read_text()
