"""The preview: what is drawn of half-written lessons, what a save does, and who is answered."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authoring.preview import looking, pages
from authoring.preview.serving import Desk, Preview
from authoring.preview.simulating import LABEL, entries_for
from authoring.watching import changed, stamp_of
from lessons.problems import Problem
from sandbox.record.picture import Picture

COURSE = Path(__file__).resolve().parents[2] / "lessons" / "how-clusters-work"
SLUG = "14-self-healing"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLASSHULL_HOME", str(tmp_path / "home"))
    shutil.copytree(COURSE, tmp_path / "course")
    return tmp_path / "course" / SLUG


@pytest.fixture
def server(folder: Path) -> Iterator[Preview]:
    made = Preview(folder, 0)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join(5)


def ask(server: Preview, path: str, *, host: str = "") -> tuple[int, Any, str]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


# --- simulated ----------------------------------------------------------------------------------------------
def drawn(*manifests: dict[str, Any]) -> dict[str, Any]:
    picture = Picture()
    for entry in entries_for(manifests, 1000.0):
        picture.feed(entry)
    return picture.items


LABELS = {"app": "storefront"}
CONTAINERS = [{"name": "app", "image": "app/storefront:1.0"}]
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "storefront"},
    "spec": {"selector": LABELS, "ports": [{"port": 80}]},
}


def test_start_manifests_are_drawn_as_they_would_be() -> None:
    bare = {
        "kind": "Pod",
        "metadata": {"name": "storefront", "labels": LABELS},
        "spec": {"containers": CONTAINERS},
    }
    items = drawn(bare, SERVICE)
    (pod,) = [item for item in items.values() if item["t"] == "pod"]
    (service,) = [item for item in items.values() if item["t"] == "service"]
    assert (pod["status"], pod["ready"], pod["ok"]) == ("Running", "1/1", True)
    assert list(service["endpoints"].values()) == ["ready"]
    assert sum(item["t"] == "node" for item in items.values()) == 3


def test_a_workload_has_its_pods() -> None:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": CONTAINERS}}
    spec = {"replicas": 3, "selector": {"matchLabels": LABELS}, "template": template}
    items = drawn({"kind": "Deployment", "metadata": {"name": "storefront"}, "spec": spec}, SERVICE)
    pods = [item for item in items.values() if item["t"] == "pod"]
    assert len({pod["node"] for pod in pods}) == 3
    assert {pod["owner"] for pod in pods} <= set(items)
    (service,) = [item for item in items.values() if item["t"] == "service"]
    assert len(service["endpoints"]) == 3


def test_it_is_labelled_simulated_where_there_is_no_recording(folder: Path) -> None:
    lesson = looking.look_at(folder).lesson
    assert lesson is not None
    assert looking.history_for(lesson, {"replicas": 3})["simulated"] is False
    shutil.rmtree(folder / "recordings")
    history = looking.history_for(lesson, {"replicas": 3})
    assert (history["simulated"], history["label"]) == (True, LABEL)
    assert history["frames"]
    assert "not" in looking.picture_of(lesson)


# --- half-written lessons -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("lesson.md", ""),
        ("lesson.md", "---\ntitle: x\n"),
        ("exercise.yaml", "task: ["),
        ("exercise.yaml", ""),
        ("solution.yaml", "kind: Pod\n"),
        (
            "lesson.md",
            "---\ntitle: x\nminutes: 5\noutcomes: [deploy an app]\n---\n## One\n:::{predict} none\n",
        ),
    ],
)
def test_whatever_is_half_written_the_preview_stands(folder: Path, file: str, text: str) -> None:
    (folder / file).write_text(text)
    look = looking.look_at(folder)
    findings = looking.findings_of(folder)
    assert findings
    sources = looking.sources_of(folder, findings)
    html = pages.source_html(SLUG, sources, findings, "")
    assert findings[0].code in html
    if look.lesson is not None and not look.why:
        assert pages.lesson_html(
            look.lesson, look.steps, looking.page_data(look, "/r"), styles=[], script="", nonce="n"
        )


def test_findings_stand_at_their_line_and_are_escaped() -> None:
    finding = Problem(f"{SLUG}/exercise.yaml", 2, 3, "L020", '"<kil>" is not an id; did you mean "kill"?')
    html = pages.source_html(SLUG, {"lesson.md": "x", "exercise.yaml": "a: <b>\nc: d"}, [finding], "")
    assert "<u>a:</u> &lt;b&gt;" in html
    assert html.index("<u>c:</u> d") < html.index("L020</b>")
    assert "<kil>" not in html
    assert "exercise.yaml:2:3" in html
    assert "1 error" in html


def test_the_last_proof_says_when_the_exercise_has_changed_since() -> None:
    proofs = [
        {"code": "P03", "title": "t", "ok": False, "text": "4 of 5", "notes": ["label-typo: no <hint>"]}
    ]
    html = pages.proof_html(
        SLUG, {"rubric": "02ab", "tier": "namespace", "proofs": proofs}, True, "2 min ago"
    )
    assert "the exercise has changed since" in html
    assert "Next: P03, label-typo: no &lt;hint&gt;" in html
    assert "Not proven yet" in pages.proof_html(SLUG, None, False, "")


# --- saves --------------------------------------------------------------------------------------------------
def test_a_save_is_news_at_once_and_the_findings_follow(folder: Path) -> None:
    desk = Desk(folder)
    desk.look()
    assert not desk.look()
    seen = dict(desk.counts)
    path = folder / "exercise.yaml"
    path.write_text(path.read_text().replace("points: 3", "point: 3"))
    began = time.monotonic()
    worker = threading.Thread(target=desk.look)
    worker.start()
    assert desk.wait(seen) == ["page"]
    assert time.monotonic() - began < 1.0
    assert desk.wait(seen) == ["findings"]
    worker.join()
    assert [problem.code for problem in desk.findings] == ["L003"]


def test_hidden_files_and_copies_of_editors_are_no_saves(tmp_path: Path) -> None:
    before = stamp_of(tmp_path)
    for name in (".lesson.md.swp", "lesson.md~"):
        (tmp_path / name).write_text("x")
    assert changed(before, stamp_of(tmp_path)) == []
    (tmp_path / "lesson.md").write_text("x")
    assert changed(before, stamp_of(tmp_path)) == ["lesson.md"]


# --- the server ---------------------------------------------------------------------------------------------
def test_it_serves_the_bench_the_page_and_their_data(server: Preview) -> None:
    server.desk.look()
    status, headers, bench = ask(server, "/")
    assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
    assert 'id="source"' in bench
    status, _, page = ask(server, "/page?variant=1")
    assert status == 200
    data = json.loads(page.split('type="application/json">')[1].split("</script>")[0])
    assert (data["params"], data["sandbox"], data["recording"]) == (
        {"replicas": 4},
        None,
        "/recording?variant=1",
    )
    assert json.loads(ask(server, "/recording")[2])["frames"]
    facts = json.loads(ask(server, "/part/facts")[2])
    assert facts["variants"] == ["replicas = 3", "replicas = 4"]
    assert "Nothing to mend" in ask(server, "/part/source?file=exercise.yaml")[2]
    assert ask(server, "/bench.js")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/media/../exercise.yaml", "/media/%2e%2e/exercise.yaml", "/static/../../authoring/lint.py", "/none"],
)
def test_nothing_outside_is_served(server: Preview, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_another_name_for_this_machine_is_not_answered(server: Preview) -> None:
    """A page elsewhere whose name is made to point here."""
    assert ask(server, "/", host="evil.example:80")[0] == 421


def test_the_stream_tells_a_save(server: Preview, folder: Path) -> None:
    server.desk.look()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request("GET", "/events", headers={"Host": f"127.0.0.1:{server.server_address[1]}"})
    answer = connection.getresponse()
    (folder / "lesson.md").write_text((folder / "lesson.md").read_text() + "\nMore.\n")
    threading.Thread(target=server.desk.look).start()
    assert answer.readline() == b"event: page\n"
    connection.close()
    server.desk.tell("page")  # the thread that waits notices that nobody reads
