# ruff: noqa: E501  (tables stay on one line)
from __future__ import annotations

from typing import Any

import pytest

from sandbox.record.cel import CelError, Names, Predicate, Template, Undecided, compile_predicate, interpolate
from sandbox.record.checks.state import SandboxFacts, StateView
from tests.sandbox.record.build import T0, Script, deployment, endpoints, node, pod

NAMES = Names(
    params=frozenset({"replicas", "shop"}),
    probes=frozenset({"front", "back-door"}),
    predictions=frozenset({"who-returns"}),
    answers=frozenset({"why"}),
    checks=frozenset({"never-empty", "up"}),
    clock=True,
    states=True,
    committed=True,
)
EACH = Names(each="Pod")


def state() -> StateView:
    view = StateView(
        params={"replicas": 3, "shop": "storefront"},
        sandbox=SandboxFacts(namespace="gh-test"),
        images={"docker.io/app/storefront:1.0": "sha256:" + "a" * 64, "local/x:1": "sha256:" + "b" * 64},
        probes=frozenset({"front", "back-door"}),
    )
    script = Script()
    for name, ready, owner in (
        ("aaaaa", True, "ReplicaSet"),
        ("bbbbb", False, "ReplicaSet"),
        ("lone", True, None),
    ):
        script.put(
            pod(
                f"storefront-7c9d8-{name}",
                uid=name,
                ready=ready,
                owner=owner,
                phase="Running",
                node="worker-1",
                restarts=1 if name == "lone" else 0,
            )
        )
    script.put(pod("other", uid="other", app=None, owner=None, waiting="ErrImagePull"))
    script.put(deployment(3, ready=3))
    script.put(node("worker-1"))
    script.put(endpoints({"aaaaa": "ready", "lone": "ready", "bbbbb": "not-ready"}))
    script.probe("front", ok=True, body="hello", json={"answers": [1]}, podUid="aaaaa")
    script.predict("who-returns", "new")
    script.add("answer", "why", {"id": "why", "value": "x"})
    for entry in script.entries:
        view.apply(entry)
    view.started = T0
    view.set_checks({"up": "pass", "never-empty": "waiting"})
    view.move_to(T0 + 60)
    return view


def value(text: str, names: Names = NAMES) -> Any:
    return compile_predicate(text, names=names, want="any").value(state())


VALUES: list[tuple[str, Any]] = [
    ('objects("Pod").size()', 4),
    ('objects("Service").size()', 0),
    ('pods("app=storefront").size()', 3),
    ('pods("app in (storefront, x)").size()', 3),
    ('pods("app notin (storefront)").size()', 1),
    ('pods("!app").size()', 1),
    ('pods("app").size()', 3),
    ('pods("app!=storefront").size()', 1),
    ('pods("app=storefront,!canary").size()', 3),
    ('pods("").size()', 4),
    ('pods("app=" + params.shop).size()', 3),
    ('readyPods("app=storefront").size()', 2),
    ('readyPods("app=" + params.shop).size()', 2),
    ('pods("app=storefront").filter(p, ready(p)).map(p, p.metadata.name)', ["storefront-7c9d8-aaaaa", "storefront-7c9d8-lone"]),
    ('one("Deployment", "storefront").spec.replicas', 3),
    ('one("Deployment", params.shop).spec.replicas', 3),
    ('one("Lease", "harbour")', {}),
    ('one("Lease", "harbour").?spec.?holderIdentity.orValue("")', ""),
    ('ready(one("Deployment", "storefront"))', True),
    ('ready(one("Deployment", "none"))', False),
    ('ready(one("Node", "worker-1"))', True),
    ('cond(one("Node", "worker-1"), "Ready")', "True"),
    ('cond(one("Node", "worker-1"), "DiskPressure")', "Unknown"),
    ('label(objects("Deployment")[0], "app")', "storefront"),
    ('label(objects("Deployment")[0], "none")', ""),
    ('pods("app=storefront").map(p, owner(p).?kind.orValue(""))', ["ReplicaSet", "ReplicaSet", ""]),
    ('pods("app=storefront").map(p, restarts(p))', [0, 0, 1]),
    ('pods("app=storefront").all(p, imageDigest(p, "app") == digest("app/storefront:1.0"))', True),
    ('imageDigest(pods("app=storefront")[0], "none")', ""),
    ('digest("app/storefront:9.9")', ""),
    ('digest("docker.io/app/storefront:1.0") == digest("app/storefront:1.0")', True),
    ('digest("local/x:1")', "sha256:" + "b" * 64),
    ('digest("app/x@sha256:1")', "sha256:1"),
    ('digest("app/storefront:" + "1.0") == digest("app/storefront:1.0")', True),
    ('endpoints("storefront").map(e, e.podUid)', ["aaaaa", "lone"]),
    ('endpoints(params.shop).size()', 2),
    ('endpoints("none").size()', 0),
    ('quantity("64Mi") == 67108864.0', True),
    ('quantity("100m") < quantity("1")', True),
    ('objects("Pod").all(p, p.spec.containers.all(c, quantity(c.resources.requests.memory) <= quantity("24Mi")))', True),
    ('age(pods("app=storefront")[0]) > duration("59s")', True),
    ('age(pods("app=storefront")[0]) > duration("61s")', False),
    ("sandbox.namespace", "gh-test"),
    ("sandbox.elapsed == duration('60s')", True),
    ("at > timestamp('2020-01-01T00:00:00Z')", True),
    ("probe.front.ok", True),
    ("at - probe.front.at < duration('61s')", True),
    ("at - probe.front.at > duration('59s')", True),
    ("probe.front.status", 200),
    ("probe.front.json.answers.size() == 1", True),
    ('probe["back-door"].ok', False),
    ('probe["back-door"].body', ""),
    ('prediction["who-returns"]', "new"),
    ("answer.why", "x"),
    ('check["never-empty"]', "waiting"),
    ('check.up == "pass"', True),
    ("params.replicas == 3", True),
    ('has(objects("Deployment")[0].spec.replicas)', True),
    ('has(objects("Deployment")[0].spec.strategy)', False),
    ('objects("Pod").exists(a, objects("Pod").exists(b, a.spec.?nodeName.orValue("") != b.spec.?nodeName.orValue("")))', True),
    ('objects("Pod").exists_one(p, label(p, "app") == "")', True),
    ('"storefront".matches("^store")', True),
    ('"a" in ["a", "b"]', True),
    ("1 + 2 * 3 == 7 && !(2 > 3) || false", True),
    ("true ? 'yes' : 'no'", "yes"),
    ('{"a": 1}.?a.orValue(2)', 1),
    ("pods('app=storefront')[?9].hasValue()", False),
    ('type(params.replicas) == int', True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_value(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "params.shop.none == 1",
        "objects('Pod')[9].spec.replicas == 1",
        "1 / 0 == 1",
        "objects('Pod').all(p, p.none)",
        "probe.front.json.missing == 1",
        "pods('app=' + '(' ).size() == 1",
        "params.replicas",
        'pods("!app").all(p, p.metadata.labels.app == "x")',
    ],
)
def test_an_error_inside_a_predicate_is_undecided(text: str) -> None:
    found = compile_predicate(text, names=NAMES).evaluate(state())
    assert isinstance(found, Undecided)
    assert found.reason


def test_undecided_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError, match="neither"):
        bool(Undecided("x"))


def test_passing_the_runtimes_bound_is_undecided() -> None:
    predicate = compile_predicate(
        "objects('Pod').all(a, objects('Pod').all(b, objects('Pod').all(c, true)))", names=NAMES
    )
    view = state()
    view._objects["Pod"] = {str(n): {"n": n} for n in range(30)}
    found = predicate.evaluate(view)
    assert isinstance(found, Undecided)
    assert "budget" in found.reason


@pytest.mark.parametrize(
    ("text", "names", "column", "message"),
    [
        ("1 + 'a' == 2", NAMES, 3, "no matching overload"),
        ("pods('app=x'", NAMES, 13, 'expected ","'),
        ("podz('x').size() > 1", NAMES, 5, 'did you mean "pods"'),
        ("object.ok", Names(), 1, '"object" needs each:; for the present state use objects("Pod")'),
        ("true && old == null", Names(), 9, '"old" needs each:'),
        ("check.never-empty == 'pass'", NAMES, 1, 'write check["never-empty"]'),
        ("check['up'] == 'pass'", Names(), 1, "hints only"),
        ("check['upp'] == 'pass'", NAMES, 1, 'did you mean "up"'),
        ("probe.fron.ok", NAMES, 1, 'probe has no "fron"; did you mean "front"?'),
        ("params.replica == 3", NAMES, 1, 'did you mean "replicas"'),
        ("at > timestamp('2020-01-01T00:00:00Z')", Names(), 1, '"at" changes'),
        ("objects('Pod').all(p, age(p) > duration('1s'))", Names(), 23, '"age()"'),
        ("sandbox.elapsed > duration('1s')", Names(), 1, "sandbox.elapsed"),
        ("prediction['who-returns'] == 'new'", Names(), 1, "prediction"),
        ("objects('Pot').size() > 1", NAMES, 9, 'did you mean "Pod"'),
        ("objects(params.shop).size() > 1", NAMES, 9, "plain text"),
        ("pods('app==').size() > 1 && pods('a b').size() > 0", NAMES, 34, "no label selector"),
        ("quantity('64Mx') > 1.0", NAMES, 10, 'unknown unit "Mx"'),
        ("'a'.matches(params.shop)", NAMES, 13, "plain text"),
        ("pods('a').size()", NAMES, 1, "must be true or false, this is int"),
        ("true &&\n  podz('x')", NAMES, 7, "podz"),
        ("x" * 1001, NAMES, 1, "1001 characters"),
        ("1 == 1" + " && 1 == 1" * 60, NAMES, 1, "syntax nodes"),
        ("[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))", NAMES, 1, "nested 4 deep"),
        ("objects('Pod').all(a, objects('Pod').all(b, objects('Pod').all(c, true)))", Names(pods=15), 1, "27,930 iterations"),
        ("(" * 80 + "1" + ")" * 80, NAMES, 61, "too deeply"),
        ("'abc", NAMES, 1, "not expected"),
        (".", NAMES, 2, "a name is expected after the dot"),
        ("true || .", NAMES, 10, "a name is expected after the dot"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_place(text: str, names: Names, column: int, message: str) -> None:
    with pytest.raises(CelError) as caught:
        compile_predicate(text, names=names)
    assert message in caught.value.message
    assert caught.value.column == column


def test_the_line_counts_too() -> None:
    with pytest.raises(CelError) as caught:
        compile_predicate("true &&\n  object.ok", names=Names())
    assert (caught.value.line, caught.value.column) == (2, 3)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("params.replicas == 3", set()),
        ("pods('a').size() > 0 && objects('Deployment').size() > 0", {"Pod", "Deployment"}),
        ("endpoints('x').size() > 0", {"EndpointSlice"}),
        ("one('Lease', 'x') == {}", {"Lease"}),
        ("probe.front.ok && probe['back-door'].ok", {"probe/front", "probe/back-door"}),
        ("probe.exists(id, probe[id].ok)", {"probe/*"}),
        ("check.up == 'pass'", {"check"}),
        ("prediction['who-returns'] == 'new'", {"prediction"}),
        ("objects('Pod').all(p, age(p) > duration('1s'))", {"Pod", "clock"}),
    ],
)
def test_what_a_predicate_reads(text: str, kinds: set[str]) -> None:
    assert compile_predicate(text, names=NAMES).kinds == kinds


@pytest.mark.parametrize(
    ("text", "worst"),
    [
        ("true", 0),
        ("pods('a').all(p, true)", 10),
        ("pods('a').all(p, p.spec.containers.all(c, true))", 10 + 10 * 12),
        ("pods('a').all(a, pods('a').all(b, true))", 10 + 10 * 10),
        ("pods('a').filter(a, true).all(b, true)", 20),
        ("objects('Deployment').exists(d, true) && endpoints('x').exists(e, true)", 22),
        ("[1, 2].all(x, x > 0)", 2),
    ],
)
def test_cost_at_worst(text: str, worst: int) -> None:
    assert compile_predicate(text, names=NAMES).cost(5) == worst


def test_each_sees_the_change() -> None:
    view, script = state(), Script()
    script.put(pod("storefront-7c9d8-ccccc", uid="c"))
    script.put(pod("storefront-7c9d8-ccccc", uid="c", ready=True, phase="Running"))
    gone = script.remove("c")
    names = EACH

    def at(text: str) -> Any:
        return compile_predicate(text, names=names, want="any").value(view)

    view.apply(script.entries[0])
    assert at('old == null && op == "ADDED" && !ready(object)') is True
    view.apply(script.entries[1])
    assert at("old != null && ready(object) && object.spec == old.spec") is True
    view.apply(gone)
    assert at('op == "DELETED" && object.metadata.name == "storefront-7c9d8-ccccc"') is True


def test_a_predicate_compiles_once() -> None:
    one = compile_predicate("pods('app=x').size() > 1", names=NAMES)
    assert compile_predicate("pods('app=x').size() > 1", names=NAMES) is one
    assert isinstance(one, Predicate)


def test_templates() -> None:
    template = Template(
        'There are ${pods("app=storefront").size()} Pods, ${params.none} and ${"}"}.', names=Names()
    )
    assert template.render(state()) == "There are 3 Pods, ? and }."
    assert {kind for each in template.predicates for kind in each.kinds} == {"Pod"}
    with pytest.raises(CelError, match="never closed") as caught:
        Template("a ${pods('x')", names=NAMES)
    assert caught.value.column == 3


def test_interpolation() -> None:
    values = {"params": {"replicas": 3, "size": 1.5}, "sandbox": {"namespace": "gh-x"}}
    assert interpolate("Run ${params.replicas} in ${sandbox.namespace}, $1", values) == "Run 3 in gh-x, $1"
    assert interpolate("${params.replicas + 1} ${params.size} ${[1, 2]} ${true}", values) == "4 1.5 1, 2 true"
    for broken in ("${params.none}", "${objects('Pod').size()}", "${at}"):
        with pytest.raises(CelError, match="has no value"):
            interpolate(broken, values)
