"""The real lesson as data, and courses that survive broken ones."""

from __future__ import annotations

import pytest

from lessons.models import Act
from lessons.problems import LessonInvalid
from lessons.rendering import render_lesson
from lessons.variants import edges_for


def test_the_lesson_is_what_the_format_says(lesson):
    assert (lesson.slug, lesson.title, lesson.minutes) == (
        "14-self-healing",
        "A shop that repairs itself",
        15,
    )
    assert [(step.id, step.gate, step.needs) for step in lesson.steps] == [
        ("alone", "soft", ()),
        ("wish", "soft", ("enough",)),
        ("break", "hard", ("who-returns",)),
        ("why", "soft", ()),
    ]
    assert all(step.words <= 250 for step in lesson.steps)
    assert lesson.capabilities == ("nodes.read",)
    assert (lesson.budget.pods, lesson.budget.memory) == (5, 120 * 2**20)


def test_the_exercise_has_fourteen_points(lesson):
    exercise = lesson.exercise
    points = {check.id: check.points for check in exercise.checks}
    assert points == {
        "managed": 1, "enough": 1, "never-empty": 3, "back": 2,
        "served": 2, "tested": 2, "hands-off": 1, "foresaw": 2,
    }  # fmt: skip
    assert sum(points.values()) == 14
    assert exercise.time == 30 * 60
    assert (exercise.pods, exercise.memory) == (5, 120 * 2**20)


def test_checks_are_read_whole(lesson):
    checks = {check.id: check for check in lesson.exercise.checks}
    back = checks["back"]
    assert (back.operator, back.after, back.within, back.must_break) == (
        "recovered", "kill.start", ((30.0, 2), (60.0, 1)), True,
    )  # fmt: skip
    served = checks["served"]
    assert (served.each, served.during, served.maximum, served.needs) == (
        "probe/front",
        "kill",
        4.0,
        ("enough",),
    )
    assert checks["enough"].within == ((1800.0, 1),)
    assert checks["foresaw"].predicate == "who-returns"


def test_faults_probes_and_predictions(lesson):
    exercise = lesson.exercise
    kill, again = exercise.faults
    assert (kill.by, kill.grace, kill.settle, kill.needs) == ("student", 3.0, 30.0, ("enough",))
    assert (again.by, again.settle, again.needs) == ("submit", 25.0, ())
    (probe,) = exercise.probes
    assert (probe.target, probe.every, probe.timeout) == ("storefront:80/whoami", 0.25, 1.0)
    (prediction,) = exercise.predictions
    assert list(prediction.choices) == ["same", "new", "none"]
    assert prediction.misconceptions == {"same": "pods-are-repaired", "none": "nothing-watches"}
    assert [hint.id for hint in exercise.hints] == [
        "nobody-asks", "not-allowed", "no-controller", "nobody-behind", "left-over", "too-few", "no-such-image",
        "never-ready", "too-early", "more-than-one",
    ]  # fmt: skip


def test_start_files_and_solution(lesson):
    assert [item["kind"] for item in lesson.start] == ["Pod", "Service"]
    assert list(lesson.files) == ["shop.yaml"]
    assert lesson.solution[0]["spec"]["replicas"] == "${params.replicas}"
    assert edges_for(lesson.exercise) == [{"replicas": 3}, {"replicas": 4}]


def test_ways(lesson):
    ways = {way.name: way for way in lesson.ways["main"]}
    assert [act.verb for act in ways["solution"].acts] == ["delete", "apply", "wait", "predict", "fault"]
    assert [name for name, way in ways.items() if way.kind == "right"] == [
        "force-delete", "replicaset", "statefulset", "two-deployments",
    ]  # fmt: skip
    assert {name: way.hint for name, way in ways.items() if way.kind == "wrong"} == {
        "three-bare-pods": "no-controller",
        "one-replica": "too-few",
        "label-typo": "nobody-behind",
        "no-readiness": "too-early",
        "image-typo": "no-such-image",
        "probe-wrong-port": "never-ready",
        "kept-first-pod": "left-over",
        "deleted-only": "nobody-asks",
        "no-room": "not-allowed",
        "two-at-once": "more-than-one",
    }
    assert Act("apply", "one-replica.yaml") in ways["one-replica"].acts
    assert "delete" not in [act.verb for act in ways["kept-first-pod"].acts]


def test_claims_are_checks(lesson):
    (claim,) = lesson.claims
    assert (claim.check.id, claim.check.operator, claim.check.within, claim.check.must_break) == (
        "three-again", "recovered", ((30.0, 1),), True,
    )  # fmt: skip


def test_nineteen_lessons_are_named_and_some_are_open(bench):
    course = bench.course()
    named = [slug for part in course.parts for slug in part.order]
    assert len(named) == 19
    assert named == sorted(named)
    opened = [lesson.slug for lesson in course.lessons]
    assert "14-self-healing" in opened
    assert course.broken == {}
    assert course.number("14-self-healing") == 14
    coming = [each for part in course.parts for each in part.coming]
    assert len(opened) + len(coming) == 19
    assert all(each.title and each.minutes for each in coming)


def test_a_broken_lesson_does_not_take_the_course_down(bench):
    opened = [lesson.slug for lesson in bench.course().lessons]
    bench.replace("exercise.yaml", "points: 3", "point: 3")
    course = bench.course()
    assert [lesson.slug for lesson in course.lessons] == [
        slug for slug in opened if slug != "14-self-healing"
    ]
    assert [problem.code for problem in course.broken["14-self-healing"]] == ["L003"]
    assert course.title == "How clusters work"


def test_a_missing_lesson_folder_is_a_broken_lesson(bench):
    opened = len(bench.course().lessons)
    bench.replace("course.yaml", "14-self-healing]", "14-self-healing, 99-none]")
    course = bench.course()
    assert len(course.lessons) == opened
    assert course.broken["99-none"][0].message == "folder has no lesson.md"


def test_a_broken_course_file_says_where(bench):
    bench.replace("course.yaml", "title: How clusters work", "title: [1]")
    with pytest.raises(LessonInvalid) as caught:
        bench.course()
    assert str(caught.value).startswith("course.yaml:2:8 L004 title: expected text, found a list")


def test_all_mistakes_of_a_file_are_told_at_once(bench):
    bench.replace("exercise.yaml", "points: 3", "point: 3")
    bench.replace("exercise.yaml", "during: again", "during: agian")
    bench.replace("lesson.md", ":::{checks} all", ":::{checks} al")
    assert sorted(problem.code for problem in bench.problems()) == ["L003", "L020", "L020"]


def test_several_exercises_have_ids_of_their_own(bench):
    folder = bench.lesson_path / "exercises" / "second"
    folder.mkdir(parents=True)
    (folder / "exercise.yaml").write_text(
        "task: Get a Pod.\nchecks: [{id: up, say: It is up, eventually: 'pods(\"\").size() > 0', within: 1m}]\n"
    )
    (folder / "solution.yaml").write_text(bench.file("start.yaml").read_text())
    lesson = bench.load()
    assert list(lesson.exercises) == ["main", "second"]
    assert [act.verb for act in lesson.ways["second"][0].acts] == ["apply"]


def test_a_reading_only_lesson_is_one_file(bench):
    folder = bench.path / "15-read"
    folder.mkdir()
    (folder / "lesson.md").write_text(
        "---\ntitle: Read\nminutes: 5\noutcomes: [explain a Pod]\n---\n## One\nWords.\n"
    )
    bench.replace("course.yaml", "14-self-healing]", "14-self-healing, 15-read]")
    bench.replace(
        "course.yaml", "      - {slug: 15-one-leader, title: One harbour master, minutes: 12}\n", ""
    )
    course = bench.course()
    assert course.lessons[-1].slug == "15-read"
    assert course.lessons[-1].exercise is None
    assert bench.lint() == []


def test_steps_may_lie_in_files_of_their_own(bench):
    bench.write("steps/01-more.md", "## More\nWords.\n")
    assert [step.id for step in bench.load().steps][-1] == "more"


def test_windows_line_ends_change_nothing(bench, lesson):
    for name in ("lesson.md", "exercise.yaml"):
        path = bench.file(name)
        path.write_bytes(path.read_text().replace("\n", "\r\n").encode())
    found = bench.load()
    assert found.exercise == lesson.exercise
    assert found.content_hash == lesson.content_hash


def test_a_link_out_of_the_folder_is_refused(bench, tmp_path):
    secret = tmp_path / "secret.yaml"
    secret.write_text("kind: Secret\n")
    bench.file("files/shop.yaml").unlink()
    (bench.lesson_path / "files" / "shop.yaml").symlink_to(secret)
    assert "links are not allowed" in bench.problems()[0].message


def test_points_of_a_check_by_deadline_are_its_most(bench):
    bench.replace("exercise.yaml", "within: {30s: 2, 60s: 1}", "within: {30s: 5, 60s: 1}")
    back = next(check for check in bench.load().exercise.checks if check.id == "back")
    assert back.points == 5


def test_a_disk_that_fails_breaks_one_lesson_only(bench, monkeypatch):
    def failing(folder):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("lessons.loading.content_hash", failing)
    course = bench.course()
    assert course.broken["14-self-healing"][0].message == "cannot be read: Input/output error"


def test_files_of_every_exercise_can_be_shown(bench):
    bench.write(
        "exercises/second/exercise.yaml",
        "task: t\nchecks: [{id: up, say: s, eventually: 'true', within: 1m}]\n",
    )
    bench.write("exercises/second/solution.yaml", bench.file("start.yaml").read_text())
    bench.write("exercises/second/files/other.yaml", "kind: Other\n")
    bench.replace("lesson.md", "Compare the names.", "Compare.\n\n:::{file} other.yaml\n:::\n")
    html = "".join(step.html for step in render_lesson(bench.load(), {"replicas": 3}))
    assert "<pre><code>kind: Other\n</code></pre>" in html


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("checks:", "\tchecks:", "not YAML: a tab stands here"),
        ("probes: {front", "probes: {{front", "a key must be plain text"),
        ("say: The cluster did it", "say: It: is: fine", "not YAML"),
    ],
)
def test_an_exercise_that_is_no_yaml_is_one_problem(bench, old, new, words):
    bench.replace("exercise.yaml", old, new)
    (problem,) = bench.problems()
    assert problem.code == "L006"
    assert words in problem.message


def test_a_lesson_without_front_matter_is_one_problem(bench):
    path = bench.file("lesson.md")
    path.write_text(path.read_text().replace("---\n", "--\n"))
    (problem,) = bench.problems()
    assert problem.message.startswith("front matter is missing")
