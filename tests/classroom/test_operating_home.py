"""The state folder's permissions, the notice to the pages, and ports, all without a cluster."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from classroom.courseware.cluster_state import read_cluster
from classroom.operating import cluster_thread
from classroom.operating.cluster_thread import ClusterThread
from classroom.operating.home import HomeUnfit, Owner, default_home, ensure_home
from classroom.operating.management.commands.down import supervisor_pid
from classroom.operating.management.commands.up import running_as
from classroom.operating.notice import ClusterNotice, publish_notice
from classroom.operating.ports import holder_of, is_free, is_own_address
from classroom.operating.supervising import AlreadyRunning, Supervisor, room_host, taken
from sandbox.cluster.which import RecordedOnly

ME = Owner("me", os.geteuid(), os.getegid())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_only_its_owner_enters_the_state_folder(tmp_path: Path) -> None:
    home = tmp_path / "new/home"
    ensure_home(home, ME)
    modes = {name: mode_of(home / name) for name in ("", "web", "shared", "shared/kube", "log")}
    assert modes == {"": 0o700, "web": 0o750, "shared": 0o750, "shared/kube": 0o750, "log": 0o700}


def test_a_second_start_mends_modes_and_keeps_the_key(tmp_path: Path) -> None:
    ensure_home(tmp_path, ME)
    (tmp_path / "web/secret_key").write_text("kept")
    tmp_path.chmod(0o755)
    (tmp_path / "log").chmod(0o777)
    ensure_home(tmp_path, ME)
    assert (mode_of(tmp_path), mode_of(tmp_path / "log")) == (0o700, 0o700)
    assert (tmp_path / "web/secret_key").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore as somebody else")
def test_databases_put_back_by_root_belong_to_the_web_server(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    restored = [tmp_path / "web" / name for name in ("db.sqlite3", "record.sqlite3", "db.sqlite3-wal")]
    for file in restored:
        file.write_text("")
    ensure_home(tmp_path, Owner("service", 54321, 54322))
    assert {(file.stat().st_uid, file.stat().st_gid) for file in restored} == {(54321, 54322)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could be led astray")
def test_root_follows_no_link_that_the_service_user_laid(tmp_path: Path) -> None:
    """The service user owns `web/`: a link there must not make root give away or write somebody's file."""
    secret = tmp_path / "root-only"
    secret.write_text("secret")
    secret.chmod(0o600)
    home = tmp_path / "home"
    service = Owner("service", 54321, 54322)
    ensure_home(home, service)
    (home / "web/db.sqlite3").symlink_to(secret)
    (home / "web/secret_key").symlink_to(secret)
    os.link(secret, home / "web/record.sqlite3")
    ensure_home(home, service)
    assert (secret.stat().st_uid, secret.stat().st_gid) == (0, 0)
    assert all((home / name).stat().st_uid == 0 for name in ("shared", "shared/kube", "shared/audit", "log"))


def test_a_home_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(
        HomeUnfit, match=r"^The state folder .+ cannot be used \(.+\)\. Set GLASSHULL_HOME to"
    ):
        ensure_home(tmp_path / "home", ME)


def test_the_home_is_the_one_that_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSHULL_HOME", "~/class")
    assert default_home() == tmp_path / "class"
    monkeypatch.delenv("GLASSHULL_HOME")
    assert default_home() == tmp_path / ".local/share/glasshull"


def test_the_pages_read_what_the_supervisor_publishes(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    publish_notice(path, ClusterNotice("building", "Compiling", 3, 10, 61.0), ME.gid)
    publish_notice(path, ClusterNotice("absent", "Recorded here.", reason="No root.", remedy="sudo"), ME.gid)
    read = read_cluster(path)
    assert (read["state"], read["reason"], read["remedy"]) == ("absent", "No root.", "sudo")
    assert mode_of(path) == 0o640
    assert not path.with_suffix(".new").exists()  # replaced, nothing left beside it
    path.write_text(json.dumps({"state": "on fire"}))
    assert read_cluster(path)["state"] == "absent"


def test_without_a_cluster_the_pages_and_the_operator_read_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_home(tmp_path, ME)
    choice = RecordedOnly(reason="There is no root.", remedy="Become root.")
    monkeypatch.setattr(cluster_thread, "choose_cluster", lambda *_: choice)
    said: list[str] = []
    ClusterThread(tmp_path, ME, said.append).run()
    read = read_cluster(tmp_path / "shared/cluster.json")
    assert (read["state"], read["reason"], read["remedy"]) == ("absent", "There is no root.", "Become root.")
    assert said == ["Lessons play recorded only. There is no root. Become root."]


def test_no_cluster_is_said_too(tmp_path: Path) -> None:
    ensure_home(tmp_path, ME)
    assert Supervisor(tmp_path, "127.0.0.1", 8411, cluster=False).start_cluster(ME) is None
    assert read_cluster(tmp_path / "shared/cluster.json")["state"] == "absent"
    assert "--no-cluster" in read_cluster(tmp_path / "shared/cluster.json")["reason"]


def test_a_taken_port_names_its_holder_and_a_way_out(listener: int) -> None:
    assert not is_free("127.0.0.1", listener)
    assert f"(pid {os.getpid()})" in holder_of(listener)
    said = taken("127.0.0.1", listener)
    assert said.startswith(f"Port {listener} on 127.0.0.1 is taken by ")
    assert f"PORT={listener + 1 if listener < 65535 else listener - 1} make up" in said
    assert "\n" not in said


def test_an_address_of_another_machine_is_told_from_a_taken_port(listener: int) -> None:
    assert not is_own_address("203.0.113.9")
    assert taken("203.0.113.9", listener).startswith("BIND=203.0.113.9 is no address of this machine.")


def test_a_free_port_is_free(listener: int) -> None:
    assert is_free("127.0.0.2", listener)


def test_the_room_gets_an_address_it_can_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert room_host("192.0.2.7") == "192.0.2.7"
    monkeypatch.setattr(
        "classroom.live.origins._addresses_of_this_machine", lambda: ["127.0.0.1", "192.0.2.7"]
    )
    assert room_host("0.0.0.0") == "192.0.2.7"
    monkeypatch.setattr("classroom.live.origins._addresses_of_this_machine", lambda: ["127.0.0.1"])
    assert room_host("0.0.0.0") == "THIS-MACHINE"


def test_a_second_supervisor_learns_who_runs_and_where(tmp_path: Path) -> None:
    first = Supervisor(tmp_path, "127.0.0.1", 8411)
    first.take_lock()
    with pytest.raises(AlreadyRunning):
        Supervisor(tmp_path, "127.0.0.1", 8999).take_lock()
    assert running_as(tmp_path) == (str(os.getpid()), "127.0.0.1", "8411")
    assert supervisor_pid(tmp_path) == os.getpid()
    assert first.lock_file is not None
    first.lock_file.close()
    assert supervisor_pid(tmp_path) is None  # a dead supervisor's file holds nobody


def test_status_without_a_cluster_is_json_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLASSHULL_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        call_command("cluster", "status", "--json")
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out) == {
        "running": False,
        "reason": "No cluster runs here. Start it as root: make up",
    }
