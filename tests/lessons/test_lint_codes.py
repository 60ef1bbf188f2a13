"""Each code of the linter, triggered by the smallest change to the real lesson that deserves it."""
# ruff: noqa: E501  (a table: one case a line)

from __future__ import annotations

import re
import shutil
from typing import NamedTuple

import pytest

from lessons.codes import CODES


class Case(NamedTuple):
    """`old` becomes `new` in a file; then a problem with this code, in words, where `near` stands."""

    code: str
    file: str
    old: str
    new: str
    words: str
    near: str = ""


E = "exercise.yaml"
L = "lesson.md"
CASES = [
    Case("L002", E, "{id: kill,", "{id: Kill_Pod,", 'id "Kill_Pod": use lower-case letters, digits and dashes', "Kill_Pod"),
    Case("L002", L, ":::{step} alone", ":::{step} Not_Good", 'id "Not_Good"', "Not_Good"),
    Case("L003", E, "points: 3", "point: 3", 'unknown key "point"; did you mean "points"?', "point: 3"),
    Case("L003", L, "minutes: 15", "minutes: 15\nlevel: hard", 'unknown key "level"', "level"),
    Case("L003", "course.yaml", "title: How", "titel: x\ntitle: How", 'unknown key "titel"; did you mean "title"?', "titel"),
    Case("L003", "apps.yaml", "port: 8080", "ports: 8080", 'unknown key "ports"; did you mean "port"?', "ports: 8080"),
    Case("L005", E, "title: Survive", "attempts: 3\ntitle: Survive", '"attempts" needs a newer Glasshull', "attempts"),
    Case("L005", E, "{id: again, kind: kill-pod", "{id: again, kind: cut-traffic", "kind: cut-traffic needs a newer Glasshull", "cut-traffic"),
    Case("L004", E, "by: submit", "by: timeline", "by: timeline needs at:, for example at: +20s", "by: timeline"),
    Case("L004", E, "by: submit", "by: submit, at: +5s", "at: is for by: timeline", "at: +5s"),
    Case("L004", E, "by: submit", "by: submit, for: 5s", "kill-pod happens at once; leave `for` out", "for: 5s"),
    Case("L004", E, "kind: kill-pod, target: \"pod:app=storefront\", pick: one, grace: 3s, by: submit", "kind: slow-app, how: melt, target: \"pod:app=storefront\", by: submit", "'melt' is not one of delay, hang, spin", "how: melt"),
    Case("L004", E, "by: submit", "by: submit, repeat: {times: 99, every: 1s}", "with 2 to 10 times", "repeat:"),
    Case("L004", E, "answer: choice", "answer: number", "answer: number takes no choices", "choices: {same"),
    Case("L004", E, "settle: 20s", "settle: 20s\n    tolerance: 10%", "answer: choice takes no tolerance", "tolerance"),
    Case("L020", E, "none: nothing-watches", "none: nothing-watched", 'no block has the id "nothing-watched"; did you mean "nothing-watches"?', "misconceptions:"),
    Case("L020", E, "none: nothing-watches", "nothing: nothing-watches", '"nothing" is not an id', "misconceptions:"),
    Case("L005", L, ":::{scene} cluster\n:layout", ":::{scene} trace\n:layout", "scene trace needs a newer Glasshull", "{scene} trace"),
    Case("L005", L, ":::{run}", ":::{run}\n:in: vm", "run in vm needs a newer Glasshull", ":::{run}"),
    Case("L005", E, "'pods(\"app=storefront\").size() > 0 &&", "'objects(\"ReleaseView\").size() > 0 &&", "ReleaseView needs a newer Glasshull", "managed"),
    Case("L005", E, "each: action, during: kill", "each: TraceView, during: kill", "TraceView needs a newer Glasshull", "hands-off"),
    Case("L005", L, ":recovered: readyPods(", ":recovered: objects(\"QueueView\").size() == readyPods(", "QueueView needs a newer Glasshull", ":recovered:"),
    Case("L003", "solution.steps", "within: 120s", "withn: 120s", 'did you mean "within"?', "withn"),
    Case("L004", L, "minutes: 15", 'minutes: "15m"', 'minutes: expected a whole number, found "15m"', "15m"),
    Case("L004", E, "every: 250ms", "every: 250", '"250" is not a duration', "every: 250"),
    Case("L004", E, "int: [3, 4]", "int: [4, 3]", "int: expected [least, most]", "[4, 3]"),
    Case("L004", E, "choices: {same: The same Pod again, new: A new Pod in its place, none: One Pod fewer for good}",
         "choices: {new: A new Pod in its place}", "needs at least two choices", "who-returns"),
    Case("L004", "start.yaml", "kind: Pod, ", "", '"kind" is missing', "apiVersion"),
    Case("L004", "start.yaml", "metadata: {name: storefront, ", "metadata: {namespace: x, name: storefront, ", "leave the namespace out", "x, name"),
    Case("L004", "solution.steps", "{delete: Pod/storefront}", "{delete: storefront}", "expected Kind/name", "storefront"),
    Case("L005", E, "format: 1", "format: 2", "format 2 needs a newer Glasshull", "format: 2"),
    Case("L006", E, "task: Keep", "task: &a Keep", "anchors and aliases are not allowed", "&a"),
    Case("L006", E, "points: 3", "points: !!int 3", "tags are not allowed", "!!int"),
    Case("L006", E, "title: Survive", "title: [Survive", "not YAML", ""),
    Case("L007", E, "{id: again,", "{id: kill,", '"kill" is already a fault (line', "by: submit"),
    Case("L007", E, "title: Survive", "title: A\ntitle: Survive", '"title" is already a key (line', "title: Survive"),
    Case("L008", L, "outcomes: [predict which", "outcomes: [understand which", "cannot be observed; try explain, predict, deploy", "outcomes"),
    Case("L009", L, "minutes: 15", "minutes: 45", "minutes: 45 is outside 5 to 25", "minutes: 45"),
    Case("L010", L, "concepts: [S013, S109]", "concepts: [S013, S999]", 'concept "S999" is not in concepts.yaml', "concepts: [S013"),
    Case("L010", "concepts.yaml", "S109:", "S110: Leaders.\nS109:", "S110 is taught by no step"),
    Case("L011", L, ":::{step} wish", ":::{step} alone", 'step "alone" appears twice', "## Say what"),
    Case("L012", L, ":::{predict} who-returns", ":::{predicts} who-returns", 'unknown directive "predicts"; did you mean "predict"?', "{predicts}"),
    Case("L012", L, "{cmd}`kubectl apply", "{comand}`kubectl apply", 'unknown role "comand"', "{comand}"),
    Case("L013", L, ":say: Watch", ":sey: Watch", 'scene has no option "sey"; did you mean "say"?', ":sey:"),
    Case("L013", L, ":::{fault} kill", ":::{fault}", "fault needs an argument", ":::{fault}"),
    Case("L013", L, ":::{exercise}\n:::", ":::{exercise}\nDo it.\n:::", "exercise takes no text", "Do it."),
    Case("L014", L, "kubectl delete pod storefront\n:::", "kubectl delete pod storefront", '":::" opened at line', ":::{run}"),
    Case("L014", L, "Customers do not", ":::\n\nCustomers do not", '":::" closes nothing', ""),
    Case("L015", L, "A small shop", "A <b>small</b> shop", "raw HTML <b> is not allowed", "A <b>small"),
    Case("L015", L, "A small shop", "A [small](javascript:alert(1)) shop", "link javascript:alert(1) is not allowed", "A [small]"),
    Case("L016", L, "A small shop", "![a shop](https://example.com/x.png) A small shop", "images must be local", "![a shop]"),
    Case("L016", L, "A small shop", "![a shop](media/none.svg) A small shop", "no such picture", "![a shop]"),
    Case("L017", L, "## What happened?", "## What happened?\n:::{figure} media/x.svg\n:::", "figure needs :alt:", "{figure}"),
    Case("L018", L, "Compare the names.", "Look at the red box on the left.", "may be the only cue", "the red box"),
    Case("L020", E, "during: kill, points: 3, needs: [enough]", "during: kill, points: 3, needs: [enogh]", '"enogh" is not an id; did you mean "enough"?', "enogh"),
    Case("L020", E, "during: again", "during: agian", 'did you mean "again"?', "agian"),
    Case("L020", E, "after: kill.start", "after: kil.start", 'did you mean "kill.start"?', "kil.start"),
    Case("L020", E, "Run ${params.replicas} copies", "Run ${params.replica} copies", '${params.replica}: there is no "replica" under variants:; did you mean "replicas"?', "task:"),
    Case("L020", "solution.yaml", "replicas: ${params.replicas}", "replicas: ${params.replica}", 'there is no "replica" under variants:', "${params.replica}"),
    Case("L020", "start.yaml", "value: 8s", 'value: "${params.delay}"', 'there is no "delay" under variants:', "params.delay"),
    Case("L004", E, '? ["new"] : ["none"]', '? "new" : ["none"]', 'observed: "new" is one value, not the list of all right answers', "observed:"),
    Case("L004", E, '? ["new"] : ["none"]', '? ["now"] : ["none"]', 'observed: "now" is none of the choices; did you mean "new"?', "observed:"),
    Case("L020", E, "each: probe/front", "each: probe/frnt", 'did you mean "front"?', "frnt"),
    Case("L020", E, "predicted: who-returns", "predicted: who-return", 'did you mean "who-returns"?', "who-return,"),
    Case("L020", L, ":needs: enough", ":needs: enogh", 'did you mean "enough"?', ":needs: enogh"),
    Case("L020", L, ":::{checks} managed enough", ":::{checks} managed enogh", 'check "enogh" is not known', "enogh"),
    Case("L020", L, ":::{edit} shop.yaml", ":::{edit} shp.yaml", 'did you mean "shop.yaml"?', "shp.yaml"),
    Case("L020", L, "apps: [storefront]", "apps: [storefrnt]", 'app "storefrnt" is not in apps.yaml', "storefrnt"),
    Case("L020", L, "{term}`Deployment`", "{term}`Deploiment`", 'did you mean "Deployment"?', "Deploiment"),
    Case("L020", L, "needs ${params.replicas}.", "needs ${params.replica}.", 'did you mean "replicas"?', "params.replica}"),
    Case("L020", L, ":allow: kill", ":allow: kil", 'allow: "kil" is not a fault', ":allow: kil"),
    Case("L020", "wrong/one-replica.yaml", "# hint: too-few", "# hint: to-few", 'did you mean "too-few"?', "to-few"),
    Case("L020", "solution.steps", "{fault: kill}", "{fault: kil}", 'did you mean "kill"?', "kil}"),
    Case("L021", E, 'target: "pod:app=storefront"', 'target: "pods:app"', 'target "pods:app": write pod:app=', "pods:app"),
    Case("L021", L, ":focus: pod:app=storefront", ":focus: pod:app", 'target "pod:app"', ":focus:"),
    Case("L021", E, '\'pods("app=storefront").size() > 0', '\'pods("app=store front").size() > 0', "app=store front", "managed"),
    Case("L021", E, '"storefront:80/whoami"', '"http://example.com/"', "write service:port/path", "example.com"),
    Case("L022", E, "== params.replicas', within: 30m", "== 1 + \"a\"', within: 30m", "found no matching overload", "id: enough"),
    Case("L022", E, ".size() >= 2', during: kill", ".size() >=', during: kill", "col", "never-empty"),
    Case("L023", E, "'!object.ok', each: probe/front, ", "'!object.ok', ", '"object" needs each:', "id: served"),
    Case("L023", E, "ready: probe.front.ok", 'ready: check["enough"] == "pass"', '"check" is for hints only', "ready:"),
    Case("L024", E, "d.status.?readyReplicas", "d.status.?readyReplica", 'did you mean "readyReplicas"?', "nobody-behind"),
    Case("L024", "solution.yaml", "periodSeconds: 1", "periodSecond: 1", 'did you mean "periodSeconds"?', "periodSecond"),
    Case("L024", "start.yaml", "containerPort: 8080", "containerPort: http", "expected a whole number", "containerPort"),
    Case("L025", E, "during: kill, points: 3,", "points: 3,", "always needs during: or from:/until:", "never-empty"),
    Case("L025", E, "eventually: 'pods(", "now: 'true', eventually: 'pods(", "2 operators: now, eventually", "managed"),
    Case("L026", E, "during: again, points: 2, needs: [enough]", "during: again, points: 2", '"tested" passes while nothing happens', "id: tested"),
    Case("L027", E, "during: kill, max: 4", "during: kill, max: 0", "max: 0 after kill-pod: allow 1–2", "max: 0"),
    Case("L028", E, "eventually: 'pods(\"app=storefront\").size() > 0 &&", "eventually: 'pods(\"app=storefront\").exists(p, p.metadata.annotations.size() > 0) &&", "message text is not evidence", "managed"),
    Case("L029", E, "{id: again, kind: kill-pod, target: \"pod:app=storefront\"", "{id: again, kind: drain-node, target: \"node:*\"", "drain-node needs capability nodes.write", "drain-node"),
    Case("L030", L, "budget: {pods: 5, memory: 120Mi}", "budget: {pods: 9, memory: 120Mi}", "pods 9 > 6", "budget:"),
    Case("L030", L, "budget: {pods: 5, memory: 120Mi}", "budget: {pods: 3, memory: 120Mi}", "start + solution need 4 Pods, budget says 3", "budget:"),
    Case("L031", E, "'pods(\"app=storefront\").size() > 0 &&", "'pods(\"app=storefront\").all(a, pods(\"\").all(b, objects(\"Service\").all(c, objects(\"Deployment\").all(d, true)))) &&", "nested", "managed"),
    Case("L032", "start.yaml", "app/storefront:1.0", "nginx", 'image "nginx"', "nginx"),
    Case("L032", "files/shop.yaml", "app/storefront:1.0", "app/storefront:latest", "app/storefront:latest", "latest"),
    Case("L033", E, "during: again, points: 2", "during: kill, points: 2", 'nothing checks what happened during "again"', "id: again"),
    Case("L034", "wrong/one-replica.yaml", "# hint: too-few\n", "", 'first line must be "# hint: …"', ""),
    Case("L035", E, "Who would notice if one went away?", "Try readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}", 'is quoted in hint "no-controller"', "no-controller"),
    Case("L036", L, "A small shop", "Write to anna@example.com. A small shop", "looks like an e-mail address", "anna@"),
    Case("L036", E, "title: Survive", "# password: hunter2hunter2\ntitle: Survive", "looks like a password", "hunter2"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{case.words[:30]}" for case in CASES])
def test_one_mistake_is_named_at_its_place(bench, case):
    bench.replace(case.file, case.old, case.new)
    found = [
        problem for problem in bench.lint() if problem.code == case.code and case.words in problem.message
    ]
    assert found, "\n".join(map(str, bench.lint()))
    problem = found[0]
    where = "" if bench.file(case.file).parent == bench.path else "14-self-healing/"
    assert problem.file == f"{where}{case.file}" or case.words.endswith("is taught by no step")
    if case.near:
        assert problem.line == bench.line_of(case.file, case.near)
    assert problem.column >= 1
    place, _, rest = str(problem).partition(" ")
    assert place == f"{problem.file}:{problem.line}:{problem.column}"
    assert rest.startswith(f"{problem.code} {problem.message}")
    assert "  help: " in rest or re.search("did you mean|needs a newer|; try |; use ", problem.message)


def test_the_real_course_has_no_problem(bench):
    assert bench.lint() == []


def test_a_lesson_without_its_text(bench):
    bench.file("lesson.md").unlink()
    (problem,) = (p for p in bench.lint() if p.code == "L001")
    assert str(problem) == (
        "14-self-healing/lesson.md:1:1 L001 folder has no lesson.md"
        "  help: add the file, or take out what needs it"
    )


def test_an_exercise_without_a_solution(bench):
    bench.file("solution.yaml").unlink()
    bench.file("solution.steps").unlink()
    assert [p.message for p in bench.lint() if p.code == "L001"] == ["folder has no solution.yaml"]


def test_a_clock_that_waits_for_what_the_student_is_to_make(bench):
    bench.file("start.yaml").unlink()
    problem = next(p for p in bench.lint() if p.message.startswith("ready:"))
    assert (problem.code, problem.line) == ("L004", bench.line_of("exercise.yaml", "ready:"))
    assert "make start.yaml" in problem.help


def test_a_bad_slug(bench):
    bench.lesson_path.rename(bench.path / "14_Self")
    bench.replace("course.yaml", "14-self-healing]", "14_Self]")
    assert {p.code for p in bench.lint()} >= {"L002"}


def test_a_step_that_is_too_long(bench):
    bench.replace("lesson.md", "Compare the names.", "word " * 260)
    problem = next(p for p in bench.lint() if p.code == "L009")
    assert re.fullmatch(r'step "why" has \d{3} words', problem.message)
    assert not problem.is_error


def test_fewer_than_three_wrong_ways(bench):
    for path in bench.file("wrong").glob("*.yaml"):
        path.unlink()
    for folder in sorted(bench.file("wrong").iterdir())[1:]:
        shutil.rmtree(folder)
    assert "wrong/ has 1 of at least 3" in next(p for p in bench.lint() if p.code == "L034").message


def test_a_translation_with_another_block(bench):
    text = bench.file("lesson.md").read_text()
    bench.write("lesson.de.md", text)
    assert bench.lint() == []
    bench.write("lesson.de.md", text.replace(":::{fault} kill", ":::{predict} who-returns"))
    problem = next(p for p in bench.lint() if p.code == "L019")
    assert problem.message == 'block 4 of step "break" is "predict who-returns", expected "fault kill"'
    line = bench.line_of("lesson.de.md", "Click any Pod") + 1
    assert str(problem).startswith(f"14-self-healing/lesson.de.md:{line}:")
    assert str(problem).endswith("  help: give the translation the same steps and blocks in the same order")


def test_a_translation_with_another_step(bench):
    text = bench.file("lesson.md").read_text()
    bench.write("lesson.de.md", text.replace(":::{step} why", ":::{step} warum"))
    assert 'step 4 is "warum"' in next(p for p in bench.lint() if p.code == "L019").message


def test_a_solution_line_quoted_in_the_text(bench):
    bench.replace(
        "lesson.md",
        "readinessProbe:\n  httpGet: {path: /some/path, port: 1234}",
        "readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}",
    )
    assert [p.code for p in bench.lint()] == ["L035"]


def test_an_exception_lifts_the_ceiling(bench):
    bench.replace("lesson.md", "{pods: 5, memory: 120Mi}", "{pods: 9, memory: 120Mi, exception: a big one}")
    assert bench.lint() == []


def test_every_code_is_triggered_here():
    elsewhere = {"L001", "L019"}  # by tests of their own above
    assert {case.code for case in CASES} | elsewhere == set(CODES)


def test_the_message_has_the_form_of_the_format(bench):
    bench.replace("exercise.yaml", "points: 3", "point: 3")
    line = bench.line_of("exercise.yaml", "point: 3")
    assert str(bench.lint()[0]).startswith(
        f'14-self-healing/exercise.yaml:{line}:126 L003 unknown key "point"; did you mean "points"?'
    )
