"""The cluster's own certificate authority, and the keys and certificates that it issues."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NODE_NAME = "devcluster"
KUBELET_CLIENT = "kube-apiserver-kubelet-client"
VALIDITY = dt.timedelta(days=365)
API_SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True)
class Identity:
    """The subject of a certificate, and the DNS names and IP addresses for which a server can use it."""

    name: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


IDENTITIES: dict[str, Identity] = {
    "apiserver": Identity("kube-apiserver", (), API_SERVER_NAMES, ("127.0.0.1", "10.96.0.1")),
    "etcd": Identity("etcd", (), ("localhost",), ("127.0.0.1",)),
    "apiserver-etcd-client": Identity("kube-apiserver-etcd-client"),
    "apiserver-kubelet-client": Identity(KUBELET_CLIENT, ("system:masters",)),
    "admin": Identity("devcluster-admin", ("system:masters",)),
    "controller-manager": Identity("system:kube-controller-manager"),
    "scheduler": Identity("system:kube-scheduler"),
    "node": Identity(f"system:node:{NODE_NAME}", ("system:nodes",)),
    "kubelet": Identity(NODE_NAME, (), (NODE_NAME, "localhost"), ("127.0.0.1",)),
}


class CertificateAuthority:
    """A new authority with a P-256 key and a self-signed certificate that is valid for a year."""

    def __init__(self, name: str) -> None:
        """Create the key and the certificate."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _certificate_builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = builder.add_extension(_key_usage(authority=True), critical=True).sign(
            self._key, hashes.SHA256()
        )

    def issue(self, identity: Identity) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Issue a certificate: for a server if the identity has hosts or addresses, else for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, identity.name))
        builder = (
            _certificate_builder(x509.Name(attributes), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.ExtendedKeyUsage(_extended_key_usages(identity)), critical=False)
        )
        names = _alternative_names(identity)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256()), key


def write_pki(directory: Path) -> None:
    """Create a new authority and all key pairs of the cluster in `directory`: ca.crt, NAME.crt and NAME.key.

    The key that signs service-account tokens is sa.key; its public key is sa.pub.
    """
    directory.mkdir(parents=True, mode=0o700)
    authority = CertificateAuthority("devcluster")
    _write_private_file(directory / "ca.crt", authority.certificate.public_bytes(serialization.Encoding.PEM))
    for file_name, identity in IDENTITIES.items():
        certificate, key = authority.issue(identity)
        _write_private_file(directory / f"{file_name}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        _write_private_file(directory / f"{file_name}.key", _private_key_pem(key))
    service_accounts = ec.generate_private_key(ec.SECP256R1())
    _write_private_file(directory / "sa.key", _private_key_pem(service_accounts))
    public = service_accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _write_private_file(directory / "sa.pub", public)


def _certificate_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A new certificate must also be valid on a clock that is a few minutes slow.
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _extended_key_usages(identity: Identity) -> list[x509.ObjectIdentifier]:
    serves = bool(identity.hosts or identity.addresses)
    return [ExtendedKeyUsageOID.SERVER_AUTH] if serves else [ExtendedKeyUsageOID.CLIENT_AUTH]


def _alternative_names(identity: Identity) -> Sequence[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in identity.hosts]
    names.extend(x509.IPAddress(ipaddress.ip_address(address)) for address in identity.addresses)
    return names


def _private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write_private_file(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
