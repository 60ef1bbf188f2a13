"""Certificates of the cluster: three authorities, one key pair for ServiceAccounts, their clients.

etcd and the front proxy have authorities of their own: with one for all, a node's certificate
would open etcd.
"""

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.embedded.plan import DOMAIN, ClusterPlan

CLUSTER_CA, ETCD_CA, FRONT_PROXY_CA = "ca", "etcd-ca", "front-proxy-ca"
SERVICE_ACCOUNTS = "service-accounts"

_YEARS_OF_AUTHORITY = 10
_DAYS_OF_LEAF = 365
_RENEW_BEFORE = dt.timedelta(days=30)
# Machines whose clocks were set back a little still believe a fresh certificate.
_BACKDATED = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Leaf:
    """A certificate to be: who it names, who signs it, what it may be used for."""

    file: str
    common_name: str
    organisation: str | None = None
    authority: str = CLUSTER_CA
    names: tuple[str, ...] = ()
    addresses: tuple[IPv4Address, ...] = ()
    server: bool = False
    client: bool = True


SCOPED_ACCOUNTS = ("observer", "keeper", "runner")


def leaves_of(plan: ClusterPlan) -> tuple[Leaf, ...]:
    """Every certificate a cluster needs. Pure."""
    loopback = IPv4Address("127.0.0.1")
    api_names = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{DOMAIN}",
    )
    return (
        Leaf(
            "kube-apiserver",
            "kube-apiserver",
            names=(*api_names, "localhost"),
            addresses=(loopback, plan.root, plan.api_service),
            server=True,
            client=False,
        ),
        Leaf("kube-apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Leaf("kube-apiserver-etcd-client", "kube-apiserver", authority=ETCD_CA),
        Leaf("etcd", "etcd", authority=ETCD_CA, names=("localhost",), addresses=(loopback,), server=True),
        Leaf("front-proxy-client", "front-proxy-client", authority=FRONT_PROXY_CA),
        Leaf("admin", "admin", "system:masters"),
        Leaf("kube-controller-manager", "system:kube-controller-manager"),
        Leaf("kube-scheduler", "system:kube-scheduler"),
        Leaf("kube-proxy", "system:kube-proxy"),
        Leaf("coredns", "system:coredns"),
        *(Leaf(account, f"glasshull:{account}", "glasshull") for account in SCOPED_ACCOUNTS),
        *_node_leaves(plan),
    )


def _node_leaves(plan: ClusterPlan) -> Iterator[Leaf]:
    for node in plan.workers:
        yield Leaf(f"node-{node.number}", f"system:node:{node.name}", "system:nodes")
        yield Leaf(
            f"kubelet-{node.number}",
            node.name,
            names=(node.name,),
            addresses=(node.address,),
            server=True,
            client=False,
        )


def ensure_pki(folder: Path, plan: ClusterPlan, *, now: dt.datetime | None = None) -> None:
    """Write what is missing or about to expire; keys are 0600. Idempotent."""
    moment = now or dt.datetime.now(dt.UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authorities = {
        name: _ensure_authority(folder, name, moment) for name in (CLUSTER_CA, ETCD_CA, FRONT_PROXY_CA)
    }
    _ensure_service_account_keys(folder)
    for leaf in leaves_of(plan):
        _ensure_leaf(folder, leaf, authorities[leaf.authority], moment)


@dataclass(frozen=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    fresh: bool


def _ensure_authority(folder: Path, name: str, now: dt.datetime) -> _Authority:
    kept = _read_pair(folder, name)
    if kept is not None and kept[0].not_valid_after_utc > now + _RENEW_BEFORE:
        return _Authority(*kept, fresh=False)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"glasshull-{name}")])
    certificate = (
        _builder(subject, subject, key, now, dt.timedelta(days=365 * _YEARS_OF_AUTHORITY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_pair(folder, name, certificate, key)
    return _Authority(certificate, key, fresh=True)


def _ensure_leaf(folder: Path, leaf: Leaf, authority: _Authority, now: dt.datetime) -> None:
    kept = None if authority.fresh else _read_pair(folder, leaf.file)
    if kept is not None and kept[0].not_valid_after_utc > now + _RENEW_BEFORE:
        return
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_subject(leaf), authority.certificate.subject, key, now, dt.timedelta(days=_DAYS_OF_LEAF))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(list(_purposes(leaf))), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )
    alternatives = _alternatives(leaf)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    _write_pair(folder, leaf.file, builder.sign(authority.key, hashes.SHA256()), key)


def _subject(leaf: Leaf) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)]
    if leaf.organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, leaf.organisation))
    return x509.Name(parts)


def _alternatives(leaf: Leaf) -> Sequence[x509.GeneralName]:
    return [*(x509.DNSName(name) for name in leaf.names), *(x509.IPAddress(a) for a in leaf.addresses)]


def _purposes(leaf: Leaf) -> Iterator[x509.ObjectIdentifier]:
    if leaf.server:
        yield ExtendedKeyUsageOID.SERVER_AUTH
    if leaf.client:
        yield ExtendedKeyUsageOID.CLIENT_AUTH


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    valid: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _ensure_service_account_keys(folder: Path) -> None:
    private = folder / f"{SERVICE_ACCOUNTS}.key"
    public = folder / f"{SERVICE_ACCOUNTS}.pub"
    if private.exists() and public.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(private, _pem(key))
    write_private(
        public,
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


def _read_pair(folder: Path, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """None when a file is missing or damaged: then the pair is made again."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return certificate, key


def _write_pair(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    write_private(folder / f"{name}.key", _pem(key))
    write_private(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes, *, mode: int = 0o600, group: int | None = None) -> None:
    """Write atomically with the final mode and group from the first byte on."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if group is not None:
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
