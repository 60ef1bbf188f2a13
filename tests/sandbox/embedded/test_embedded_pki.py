"""Certificates: right signers, right names, private keys private, made again only when they must be."""

import base64
import datetime as dt
import json
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sandbox.embedded.kubeconfig import kubeconfig_for
from sandbox.embedded.pki import SCOPED_ACCOUNTS, ensure_pki, leaves_of, write_private
from sandbox.embedded.plan import ClusterPlan


def read(folder, name):
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


@pytest.fixture
def pki(tmp_path):
    ensure_pki(tmp_path / "pki", ClusterPlan())
    return tmp_path / "pki"


def test_every_leaf_is_signed_by_its_own_authority_and_by_no_other(pki):
    for leaf in leaves_of(ClusterPlan()):
        certificate = read(pki, leaf.file)
        for authority in ("ca", "etcd-ca", "front-proxy-ca"):
            issuer = read(pki, authority)
            if authority == leaf.authority:
                certificate.verify_directly_issued_by(issuer)
            else:
                with pytest.raises(ValueError, match="Issuer"):
                    certificate.verify_directly_issued_by(issuer)


def test_the_api_server_is_believed_under_all_its_names(pki):
    store = Store([read(pki, "ca")])
    for name in ("kubernetes", "kubernetes.default.svc.cluster.local", "localhost"):
        verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name))
        verifier.verify(read(pki, "kube-apiserver"), [])
    with pytest.raises(VerificationError):
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName("elsewhere")).verify(
            read(pki, "kube-apiserver"), []
        )


def test_a_nodes_certificate_opens_only_what_a_node_may(pki):
    node = read(pki, "node-2")
    assert node.subject.rfc4514_string() == "CN=system:node:worker-2,O=system:nodes"
    purposes = node.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("account", SCOPED_ACCOUNTS)
def test_scoped_accounts_are_no_masters(pki, account):
    assert read(pki, account).subject.rfc4514_string() == f"CN=glasshull:{account},O=glasshull"


def test_no_file_is_readable_by_others(pki):
    assert stat.S_IMODE(pki.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in pki.iterdir()} == {0o600}


def test_a_second_run_changes_nothing(pki):
    before = {file.name: file.read_bytes() for file in pki.iterdir()}
    ensure_pki(pki, ClusterPlan())
    assert {file.name: file.read_bytes() for file in pki.iterdir()} == before


def test_a_leaf_about_to_expire_is_made_again_and_the_authority_kept(pki):
    before = {name: (pki / f"{name}.crt").read_bytes() for name in ("ca", "admin")}
    ensure_pki(pki, ClusterPlan(), now=dt.datetime.now(dt.UTC) + dt.timedelta(days=340))
    assert (pki / "ca.crt").read_bytes() == before["ca"]
    assert (pki / "admin.crt").read_bytes() != before["admin"]


def test_a_damaged_certificate_is_made_again(pki):
    (pki / "admin.crt").write_text("not a certificate")
    ensure_pki(pki, ClusterPlan())
    read(pki, "admin").verify_directly_issued_by(read(pki, "ca"))


def test_a_lost_authority_replaces_everything_it_signed(pki):
    (pki / "ca.key").unlink()
    ensure_pki(pki, ClusterPlan())
    for leaf in leaves_of(ClusterPlan()):
        read(pki, leaf.file).verify_directly_issued_by(read(pki, leaf.authority))


def test_a_kubeconfig_holds_all_it_needs(pki):
    document = json.loads(kubeconfig_for(pki, "https://10.2.0.1:16443", "runner"))
    user = document["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == (pki / "runner.crt").read_bytes()
    assert base64.b64decode(user["client-key-data"]) == (pki / "runner.key").read_bytes()
    cluster = document["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]) == (pki / "ca.crt").read_bytes()


def test_a_private_file_is_replaced_whole(tmp_path):
    target = tmp_path / "x"
    write_private(target, b"one")
    write_private(target, b"two", mode=0o640)
    assert target.read_bytes() == b"two"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
