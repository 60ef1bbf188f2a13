"""Ways to do an exercise: the solution, other right ones, and wrong ones with the hint each must earn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from lessons.manifests_loading import objects_of, read_manifests
from lessons.models import Act, Objects, Verb, Way
from lessons.params_known import check_params
from lessons.problems import LessonInvalid, Problem, with_suggestion
from lessons.reading import Section, shown
from lessons.text_files import read_text
from lessons.yaml_source import YamlSource, read_yaml
from sandbox.record.checks.forms import ValueRefused, read_value
from sandbox.record.exercise import Exercise

VERBS: tuple[Verb, ...] = ("apply", "delete", "patch", "run", "fault", "load", "predict", "answer", "wait")
WAIT_SECONDS = 120.0  # for a `wait` without `within`
_HINT = re.compile(r"#\s*hint:\s*([a-z][a-z0-9-]*)\s*\Z")
_OBJECT = re.compile(r"[A-Z][A-Za-z]*/[a-z0-9][a-z0-9.-]*\Z")
SOLUTION_FILE = "solution.yaml"


class WaysReader:
    """Reads all ways of one exercise in `folder`; problems are appended."""

    def __init__(self, folder: Path, shown_as: str, exercise: Exercise, problems: list[Problem]) -> None:
        self.folder, self.shown_as, self.exercise, self.problems = folder, shown_as, exercise, problems

    def read(self) -> tuple[Way, ...]:
        solution = self._solution()
        if solution is None:
            return ()
        right = [self._other(path, "right", solution) for path in _entries(self.folder / "right")]
        wrong = [self._other(path, "wrong", solution) for path in _entries(self.folder / "wrong")]
        return (solution, *right, *wrong)

    def _solution(self) -> Way | None:
        files = self._files(self.folder, "solution")
        steps = self.folder / "solution.steps"
        if not files and not steps.exists():
            file = f"{self.shown_as}/exercise.yaml"
            message = f"folder has no {SOLUTION_FILE}"
            self.problems.append(
                Problem(file, 1, 1, "L001", message, "an exercise needs a solution that proves it")
            )
            return None
        acts = self._steps(steps, files) if steps.exists() else self._usual_acts(files)
        return Way("solution", "solution", acts, files)

    def _other(self, path: Path, kind: Literal["right", "wrong"], solution: Way) -> Way:
        name = path.stem if path.is_file() else path.name
        files = self._read_other(path)
        own = path / "steps"
        if path.is_dir() and own.exists():
            acts = self._steps(own, {**solution.files, **files})
            files = {**solution.files, **files}
        else:
            acts = _with_own_files(solution.acts, tuple(solution.files), tuple(files))
        hint = self._hint(path) if kind == "wrong" else None
        return Way(name, kind, acts, files, hint)

    def _read_other(self, path: Path) -> dict[str, Objects]:
        paths = [path] if path.is_file() else sorted(path.glob("*.yaml"))
        return {each.name: self._objects(each) for each in paths}

    def _files(self, folder: Path, stem: str) -> dict[str, Objects]:
        single = folder / f"{stem}.yaml"
        paths = [single] if single.exists() else sorted((folder / stem).glob("*.yaml"))
        return {path.name: self._objects(path) for path in paths}

    def _objects(self, path: Path) -> Objects:
        sources = read_manifests(path, self._shown(path), self.problems)
        for source in sources:
            check_params(source, self.exercise.variants, self.problems)
        return objects_of(sources)

    def _shown(self, path: Path) -> str:
        return f"{self.shown_as}/{path.relative_to(self.folder).as_posix()}"

    def _usual_acts(self, files: dict[str, Objects]) -> tuple[Act, ...]:
        """Format 4.8: apply, wait for `ready`, start each student fault and load once. What is right to
        predict only the record knows, so the proof run adds it."""
        acts = [Act("apply", name) for name in files]
        if self.exercise.ready:
            acts.append(Act("wait", self.exercise.ready, within=WAIT_SECONDS))
        acts += [Act("load", load.id) for load in self.exercise.loads if load.by == "student"]
        acts += [Act("fault", fault.id) for fault in self.exercise.faults if fault.by == "student"]
        return tuple(acts)

    # --- steps ---------------------------------------------------------------------------------------
    def _steps(self, path: Path, files: dict[str, Objects]) -> tuple[Act, ...]:
        shown_as = self._shown(path)
        try:
            source = read_yaml(read_text(path, shown_as), shown_as)
        except LessonInvalid as invalid:
            self.problems.extend(invalid.problems)
            return ()
        if not isinstance(source.value, list):
            text = f"expected a list of steps, found {shown(source.value)}"
            self.problems.append(Problem(shown_as, 1, 1, "L004", text))
            return ()
        acts = [self._act(source, index, tuple(files)) for index in range(len(source.value))]
        return tuple(act for act in acts if act)

    def _act(self, source: YamlSource, index: int, files: Sequence[str]) -> Act | None:
        section = Section(source, (index,), self.problems)
        verbs = [verb for verb in VERBS if section.has(verb)]
        if len(verbs) != 1:
            section.note(
                "L004",
                f"a step has exactly one of {', '.join(VERBS)}",
                help_="look for a typing error in this step, or make two steps of it",
            )
            return None
        verb = verbs[0]
        within = section.seconds("within", WAIT_SECONDS) if verb == "wait" else 0.0
        change = section.section("with") if verb == "patch" else None
        act = Act(verb, section.raw(verb), within=within, change=change.values if change else {})
        section.finish()
        self._check_act(section, act, files)
        return act

    def _check_act(self, section: Section, act: Act, files: Sequence[str]) -> None:
        known: dict[str, Sequence[str]] = {
            "apply": files,
            "fault": [fault.id for fault in self.exercise.faults],
            "load": [load.id for load in self.exercise.loads],
        }
        if act.verb in known:
            self._check_known(section, act.verb, act.what, known[act.verb])
        elif act.verb in ("predict", "answer"):
            self._check_said(section, act)
        elif act.verb in ("delete", "patch") and not _OBJECT.match(str(act.what)):
            section.note("L004", f"{act.verb}: expected Kind/name, found {shown(act.what)}", key=act.verb)
        elif act.verb == "wait" and not isinstance(act.what, str):
            section.note("L004", f"wait: expected CEL, found {shown(act.what)}", key="wait")

    def _check_said(self, section: Section, act: Act) -> None:
        """`predict: {id: value}`; a value that a student could not lock is a slip of the pen."""
        asked = self.exercise.predictions if act.verb == "predict" else self.exercise.questions
        if not isinstance(act.what, dict):
            section.note("L004", f"{act.verb}: expected {{id: value}}, found {shown(act.what)}", key=act.verb)
            return
        for name, value in act.what.items():
            spec = next((one for one in asked if one.id == name), None)
            if spec is None:
                self._check_known(section, act.verb, name, [one.id for one in asked])
                continue
            try:
                read_value(spec, value)
            except ValueRefused as problem:
                help_ = f"one of its choices: {', '.join(spec.choices)}" if spec.choices else ""
                section.note(
                    "L004", f"{act.verb} {name}: {shown(value)}: {problem}", key=act.verb, help_=help_
                )

    @staticmethod
    def _check_known(section: Section, verb: str, what: Any, known: Sequence[str]) -> None:
        if what not in known:
            message = with_suggestion(f'{verb}: "{what}" is not known', str(what), known)
            section.note("L020", message, key=verb)

    # --- hints ---------------------------------------------------------------------------------------
    def _hint(self, path: Path) -> str | None:
        """The id in `# hint: …` on the first line (of a folder: of its steps or first file). L034, L020."""
        first = path if path.is_file() else next(iter([path / "steps", *sorted(path.glob("*.yaml"))]), path)
        if path.is_dir() and not first.exists():
            first = next(iter(sorted(path.glob("*.yaml"))), first)
        shown_as = self._shown(first)
        try:
            line = read_text(first, shown_as).split("\n", 1)[0].strip()
        except LessonInvalid as invalid:
            self.problems.extend(invalid.problems)
            return None
        match = _HINT.match(line)
        if not match:
            self.problems.append(Problem(shown_as, 1, 1, "L034", 'first line must be "# hint: …"'))
            return None
        known = [hint.id for hint in self.exercise.hints]
        if match[1] not in known:
            message = with_suggestion(f'hint "{match[1]}" is not known', match[1], known)
            self.problems.append(Problem(shown_as, 1, line.index(match[1]) + 1, "L020", message))
        return match[1]


def _entries(folder: Path) -> list[Path]:
    """YAML files and folders of `wrong/` or `right/`, sorted by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == ".yaml" or path.is_dir())


def _with_own_files(acts: tuple[Act, ...], theirs: tuple[str, ...], own: tuple[str, ...]) -> tuple[Act, ...]:
    """The solution's steps with its files replaced: the first apply becomes all own files, the others go."""
    found: list[Act] = []
    placed = False
    for act in acts:
        if act.verb == "apply" and act.what in theirs:
            if not placed:
                found += [Act("apply", name) for name in own]
                placed = True
        else:
            found.append(act)
    return tuple(found)
