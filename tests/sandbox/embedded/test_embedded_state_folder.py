"""Files of the state folder: whole, private, the same after a second run."""

import json
import os
import stat

import pytest

from sandbox.embedded.files import ensure_files, ensure_this_boot
from sandbox.embedded.host import read_boot_id
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "home", ClusterPlan())


def content_of(folder):
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_group_reads_its_kubeconfigs_and_the_audit_log_and_nothing_else(layout):
    ensure_files(layout, os.getgid())
    assert mode(layout.home) == "0o710"
    assert mode(layout.state) == "0o700"
    assert layout.audit_log is not None
    assert mode(layout.audit_log) == "0o640"
    assert {mode(folder) for folder in (layout.web_kube, layout.audit_log.parent)} == {"0o750"}
    assert {file.name: mode(file) for file in layout.web_kube.iterdir()} == {
        "observer.kubeconfig": "0o640",
        "keeper.kubeconfig": "0o640",
        "runner.kubeconfig": "0o640",
    }
    private = [file for file in layout.state.rglob("*") if file.is_file() and mode(file) != "0o600"]
    assert private == []


def test_without_a_group_everything_belongs_to_root_alone(layout):
    ensure_files(layout, None)
    assert mode(layout.home) == "0o700"


def test_a_home_that_exists_keeps_its_mode(layout):
    layout.home.mkdir()
    layout.home.chmod(0o711)
    ensure_files(layout, os.getgid())
    assert mode(layout.home) == "0o711"


def test_a_second_run_changes_nothing(layout):
    ensure_files(layout, None)
    before = content_of(layout.home)
    ensure_files(layout, None)
    assert content_of(layout.home) == before


def test_the_audit_log_is_never_emptied(layout):
    ensure_files(layout, None)
    layout.audit_log.write_text("kept\n")
    ensure_files(layout, None)
    assert layout.audit_log.read_text() == "kept\n"


def test_another_instance_writes_nothing_of_the_products(tmp_path):
    layout = Layout(tmp_path, ClusterPlan(2))
    ensure_files(layout, None)
    assert not (tmp_path / "web").exists()
    assert (layout.web_kube / "runner.kubeconfig").exists()


def test_kubeconfigs_lead_to_this_cluster_with_their_own_account(layout):
    ensure_files(layout, None)
    for name in ("observer", "keeper", "runner"):
        document = json.loads((layout.web_kube / f"{name}.kubeconfig").read_text())
        assert document["clusters"][0]["cluster"]["server"] == "https://10.2.0.1:16443"
        assert document["users"][0]["name"] == name


def test_after_a_reboot_the_run_before_is_forgotten_and_the_rest_kept(layout):
    ensure_this_boot(layout)
    ensure_files(layout, None)
    for folder in (layout.etcd, layout.run):
        folder.mkdir(exist_ok=True)
        (folder / "x").write_text("old")
    ensure_this_boot(layout)
    assert (layout.run / "x").exists(), "the same boot"
    layout.boot_id.write_text("another")
    ensure_this_boot(layout)
    assert not layout.etcd.exists()
    assert not layout.run.exists()
    assert (layout.pki / "ca.crt").exists()
    assert layout.boot_id.read_text() == read_boot_id()
