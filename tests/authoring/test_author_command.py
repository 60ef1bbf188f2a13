"""`glasshull lesson …`: what an author types and what comes back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.command import app

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "lessons" / "how-clusters-work"


@pytest.fixture
def course(tmp_path):
    path = tmp_path / "course"
    shutil.copytree(COURSE, path)
    return path


def run(*words: object):
    return CliRunner().invoke(app, ["lesson", *map(str, words)])


def break_it(course: Path) -> None:
    path = course / "14-self-healing" / "exercise.yaml"
    path.write_text(path.read_text().replace("points: 3", "point: 3"))


def test_lint_of_the_real_course_is_clean():
    result = run("lint", COURSE)
    assert (result.exit_code, result.output) == (0, "0 errors, 0 warnings\n")


@pytest.mark.parametrize("inside", ["", "14-self-healing", "14-self-healing/exercise.yaml"])
def test_lint_takes_a_course_a_lesson_or_a_file(course, inside):
    break_it(course)
    result = run("lint", course / inside)
    assert result.exit_code == 1
    assert 'L003 unknown key "point"; did you mean "points"?' in result.output
    assert result.output.rstrip().endswith(
        "1 error, 0 warnings (L003; each is told by: glasshull lesson explain CODE)"
    )


def test_lint_as_json(course):
    break_it(course)
    result = run("lint", course, "--json")
    data = json.loads(result.output)
    assert result.exit_code == 1
    assert (data["errors"], data["warnings"]) == (1, 0)
    problem = data["problems"][0]
    assert (problem["code"], problem["severity"], problem["file"]) == (
        "L003",
        "error",
        "14-self-healing/exercise.yaml",
    )
    assert problem["line"] > 1


def test_warnings_fail_only_when_strict(course):
    path = course / "14-self-healing" / "exercise.yaml"
    path.write_text(path.read_text().replace("max: 4", "max: 0"))
    assert run("lint", course).exit_code == 0
    assert "L027" in run("lint", course).output
    assert run("lint", course, "--strict").exit_code == 1


def test_lint_of_what_is_no_lesson(tmp_path):
    assert run("lint", tmp_path).exit_code == 2
    assert "no folder above it has a course.yaml" in run("lint", tmp_path).output
    assert run("lint", tmp_path / "none").exit_code == 2


def test_explain():
    assert run("explain", "l026").output.startswith("L026 (error): a check that the start state could pass\n")
    assert len(run("explain").output.splitlines()) == 36
    unknown = run("explain", "L026x")
    assert unknown.exit_code == 2
    assert 'did you mean "L026"?' in unknown.output


def name_in_course(course: Path, slug: str) -> None:
    file = course / "course.yaml"
    text, times = re.subn(r"14-self-healing(?=[],])", f"14-self-healing, {slug}", file.read_text(), count=1)
    assert times == 1
    file.write_text(text)


def test_a_new_lesson_is_three_files_without_an_error(course):
    result = run("new", "20-my-first", "--course", course)
    assert result.exit_code == 0, result.output
    made = sorted(path.name for path in (course / "20-my-first").iterdir())
    assert made == ["exercise.yaml", "lesson.md", "solution.yaml"]
    name_in_course(course, "20-my-first")
    output = run("lint", course).output
    assert output.splitlines()[-1].startswith("0 errors, 1 warning (L034")
    assert run("new", "20-my-first", "--course", course).exit_code == 2
    assert run("new", "Bad_Slug", "--course", course).exit_code == 2
    assert run("new", "21-x", "--course", course / "none").exit_code == 2


def test_a_new_lesson_like_another_one(course):
    result = run("new", "21-mine", "--course", course, "--like", "14-self-healing")
    assert result.exit_code == 0, result.output
    name_in_course(course, "21-mine")
    assert run("lint", course / "21-mine", "--strict").output == "0 errors, 0 warnings\n"
    assert "title: Mine" in (course / "21-mine/lesson.md").read_text()
    assert not (course / "21-mine/recordings").exists()
    refused = run("new", "22-x", "--course", course, "--like", "nothing")
    assert refused.exit_code == 2
    assert "has no lesson nothing; there is " in refused.output


def test_the_module_runs_without_django():
    code = "import sys; from authoring import command, lint; assert 'django' not in sys.modules"
    path = f"{ROOT / 'platform'}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_help_names_every_command():
    output = run("--help").output
    for name in ("lint", "explain", "new", "verify", "preview", "record", "schema"):
        assert name in output
