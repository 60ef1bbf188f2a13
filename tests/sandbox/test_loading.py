"""What the prober is told of a load, and what the record holds of its news."""

from __future__ import annotations

import pytest

from sandbox.loading import LoadNews, change_of, load_spec
from sandbox.observing.load_acts import why_not_now
from sandbox.record.exercise import Load
from sandbox.record.traffic import LONGEST_S, MOST_OF_ALL, MOST_RATE

RUSH = Load(id="rush", target="storefront:80/api/items", rate=12.0, lasting=60.0)
OWN = {"uid-1", "uid-2"}


def test_a_load_stays_in_the_namespace_of_its_sandbox():
    spec = load_spec(RUSH, "gh-a", "box")
    assert spec.http == "http://storefront.gh-a.svc.cluster.local.:80/api/items"
    assert spec.within == "gh-a.svc.cluster.local."
    assert (spec.rate, spec.for_ms, spec.timeout_ms, spec.shape) == (12.0, 60_000, 2000, "steady")


@pytest.mark.parametrize(
    "target",
    [
        "storefront.gh-b:80/",
        "storefront.gh-b.svc.cluster.local.:80/",
        "10.152.183.1:443/",
        "kubernetes.default:443/",
        "-x:80/",
        "a@b:80/",
        ":80/",
    ],
)
def test_a_load_aimed_elsewhere_is_refused(target: str):
    with pytest.raises(ValueError, match="is no Service of the sandbox"):
        load_spec(Load(id="rush", target=target, rate=1.0, lasting=1.0), "gh-a", "box")


def test_what_is_too_much_is_cut_to_the_bounds():
    spec = load_spec(Load(id="r", target="a:80/", rate=500.0, lasting=900.0), "gh-a", "box", rate=70.0)
    assert (spec.rate, spec.for_ms) == (MOST_RATE, LONGEST_S * 1000)


def test_two_loads_of_a_sandbox_send_the_same_customers():
    other = Load(id="quiet", target="monolith:80", rate=12.0, lasting=60.0, script="basket")
    assert load_spec(RUSH, "gh-a", "box").seed == load_spec(other, "gh-a", "box").seed
    assert load_spec(RUSH, "gh-a", "box").seed != load_spec(RUSH, "gh-b", "other box").seed


def second(**fields) -> LoadNews:
    return LoadNews(**{"op": "second", "sandbox": "box", "id": "rush", "sent": 12, **fields})


def test_a_second_names_the_pods_that_answered():
    news = second(failed=1, p95=41.26, lost=2, pods={"uid-1": 7, "uid-2": 4})
    assert change_of(news, OWN) == {
        "id": "rush", "sent": 12, "failed": 1, "p95": 41.3, "distinctPods": 2, "lost": 2,
        "pods": {"uid-1": 7, "uid-2": 4},
    }  # fmt: skip


def test_answers_of_a_strangers_pod_are_failures():
    change = change_of(second(pods={"uid-1": 7, "uid-9": 5}, p95=3.0), OWN)
    assert (change["failed"], change["distinctPods"], change["pods"]) == (5, 1, {"uid-1": 7})
    assert change["untold"] == 5
    assert change_of(second(failed=12, pods={"uid-9": 5}), OWN)["failed"] == 12  # never more than were sent


def test_a_failure_is_an_entry_of_its_own():
    news = LoadNews(op="failure", id="rush", status=504, ms=150.04, pod_uid="uid-9", error="")
    told = {"id": "rush", "ok": False, "status": 504, "ms": 150.0, "error": "", "podUid": ""}
    assert change_of(news, OWN) == told


@pytest.mark.parametrize(
    ("running", "sent_by_all", "code"),
    [
        ([], 0.0, None),
        (["other"], MOST_OF_ALL - 12, None),
        (["rush"], 12.0, "running"),
        (["a", "b"], 24.0, "busy"),
        ([], MOST_OF_ALL - 11, "busy"),
    ],
)
def test_what_keeps_a_load_from_beginning(running: list[str], sent_by_all: float, code: str | None):
    refusal = why_not_now(RUSH, 12.0, running, sent_by_all)
    assert (refusal.code if refusal else None) == code
