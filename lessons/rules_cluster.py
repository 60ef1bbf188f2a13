"""Linter: does the lesson fit the cluster it asks for? L024, L029, L030, L032."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lessons.cel_fields import field_problems
from lessons.loading import LessonDraft
from lessons.manifests_loading import read_manifests
from lessons.models import Objects, Way
from lessons.problems import LessonInvalid, Problem, did_you_mean
from lessons.schema import object_problems, type_of_kind
from lessons.text_files import read_text
from lessons.variants import edges_for
from lessons.yaml_source import YamlSource, read_documents
from sandbox.record.exercise import Exercise

FAULT_NEEDS = {
    "cordon-node": "nodes.write",
    "drain-node": "nodes.write",
    "stop-node": "nodes.write",
    "kill-component": "control-plane",
    "move-tag": "images.build",
}
KIND_NEEDS = {
    "Node": "nodes.read",
    "ContainerView": "privileged-view",
    "ImageView": "images.build",
    "MachineView": "vm",
    "MachineRace": "vm",
    "ComponentView": "control-plane",
}
SCENE_NEEDS = {"xray": "privileged-view", "machines": "vm", "layers": "images.build"}
RUN_NEEDS = {"build": "images.build", "vm": "vm"}
GIVEN_BY = {"nodes.read": frozenset({"nodes.read", "multi-node", "nodes.write"})}
WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet"})


def check_cluster(draft: LessonDraft) -> Iterator[Problem]:
    yield from _capabilities(draft)
    yield from _ceiling(draft)
    for exercise_id, loaded in draft.loaded.items():
        folder = draft.folder if exercise_id == "main" else draft.folder / "exercises" / exercise_id
        yield from _pods_fit(draft, exercise_id, loaded.exercise)
        for source in _manifests(draft, folder):
            yield from _fields(source)
        for source in _images_checked(draft, folder):
            yield from _images(draft, source)
    yield from _expression_fields(draft)


# --- L029 ----------------------------------------------------------------------------------------------
def _capabilities(draft: LessonDraft) -> Iterator[Problem]:
    have = set(draft.lesson.capabilities if draft.lesson else ())
    for place, what, need in _needs(draft):
        if need not in have and not have & GIVEN_BY.get(need, frozenset()):
            file, line, column = place
            message = f"{what} needs capability {need}"
            yield Problem(
                file, line, column, "L029", message, f"add it to capabilities: in {draft.slug}/lesson.md"
            )


def _needs(draft: LessonDraft) -> Iterator[tuple[tuple[str, int, int], str, str]]:
    """(place, what, capability) of everything that needs one."""
    for loaded in draft.loaded.values():
        for fault in loaded.exercise.faults:
            if fault.kind in FAULT_NEEDS and fault.id in loaded.places:
                mark = loaded.places[fault.id].mark("kind")
                yield (loaded.source.file, *mark), fault.kind, FAULT_NEEDS[fault.kind]
    for expression, predicate in draft.predicates:
        for kind in sorted(predicate.kinds & KIND_NEEDS.keys()):
            mark = expression.section.mark(expression.key)
            yield (expression.section.source.file, *mark), kind, KIND_NEEDS[kind]
    for page in draft.pages:
        for directive in page.directives:
            table: Mapping[str, str] = SCENE_NEEDS if directive.name == "scene" else RUN_NEEDS
            word = directive.argument if directive.name == "scene" else directive.option("in")
            if directive.name in ("scene", "run") and word in table:
                yield (page.text.file, *directive.place), f"{directive.name} {word}", table[word]


# --- L030 ----------------------------------------------------------------------------------------------
def _ceiling(draft: LessonDraft) -> Iterator[Problem]:
    if not (draft.lesson and draft.front):
        return
    budget, ceiling = draft.lesson.budget, draft.course.ceiling
    over = [
        f"{name} {have} > {most}"
        for name, have, most in (
            ("pods", budget.pods, ceiling.pods),
            ("memory", _mebi(budget.memory), _mebi(ceiling.memory)),
            ("cpu", f"{budget.cpu:g}", f"{ceiling.cpu:g}"),
        )
        if have != most and _number(have) > _number(most)
    ]
    if over and not budget.exception:
        mark = draft.front.mark("budget")
        message = f"budget above the course's ceiling: {', '.join(over)}"
        help_ = "ask for less, or say why with exception: in the budget"
        yield Problem(draft.front.source.file, *mark, "L030", message, help_)


def _mebi(size: int) -> str:
    return f"{size / 2**20:g}Mi"


def _number(value: int | str) -> float:
    return float(str(value).removesuffix("Mi"))


def _pods_fit(draft: LessonDraft, exercise_id: str, exercise: Exercise) -> Iterator[Problem]:
    ways = draft.lesson.ways.get(exercise_id, ()) if draft.lesson else ()
    solution = next((way for way in ways if way.kind == "solution"), None)
    if solution is None:
        return
    most = max(_pods_of_way(exercise.objects, solution, params) for params in edges_for(exercise) or [{}])
    if most > exercise.pods and draft.front:
        message = f"start + solution need {most} Pods, budget says {exercise.pods}"
        yield Problem(draft.front.source.file, *draft.front.mark("budget"), "L030", message)


def _pods_of_way(start: Objects, way: Way, params: Mapping[str, Any]) -> int:
    """Pods at rest after all steps: an object applied under an existing kind and name replaces it."""
    there = {_key(item): _pods_of(item, params) for item in start}
    for act in way.acts:
        if act.verb == "apply":
            there |= {_key(item): _pods_of(item, params) for item in way.files.get(act.what, ())}
        elif act.verb == "delete":
            there.pop(str(act.what), None)
    return sum(there.values())


def _key(item: Mapping[str, Any]) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def _pods_of(item: Mapping[str, Any], params: Mapping[str, Any]) -> int:
    if item["kind"] == "Pod":
        return 1
    spec = item.get("spec")
    if item["kind"] not in WORKLOADS or not isinstance(spec, dict):
        return 0
    replicas = spec.get("replicas", 1)
    if isinstance(replicas, str) and replicas.startswith("${params."):
        replicas = params.get(replicas[9:-1], 1)
    return replicas if isinstance(replicas, int) else 1


# --- L024 ----------------------------------------------------------------------------------------------
def _fields(source: YamlSource) -> Iterator[Problem]:
    type_ = type_of_kind(str(source.value.get("kind")))
    if type_ is None:
        mark = source.mark(("kind",))
        message = f'"{source.value.get("kind")}" is not a kind a lesson can use'
        yield Problem(source.file, *mark, "L024", message)
        return
    for path, message in object_problems(source.value, type_):
        mark = source.key_mark(path)
        yield Problem(source.file, *mark, "L024", message)


def _expression_fields(draft: LessonDraft) -> Iterator[Problem]:
    for expression, predicate in draft.predicates:
        mark = expression.section.mark(expression.key)
        for column, message in field_problems(predicate.text, expression.names.each):
            file = expression.section.source.file
            yield Problem(file, *mark, "L024", f"col {column}: {message}")


# --- L032 ----------------------------------------------------------------------------------------------
def _images(draft: LessonDraft, source: YamlSource) -> Iterator[Problem]:
    known = {image for app in draft.course.apps.values() for image in app.images}
    for path, image in _image_places(source.value, ()):
        if image in known or "${" in image:
            continue
        near = did_you_mean(image, known)
        message = f'image "{image}": lessons use app/… images of apps.yaml'
        yield Problem(source.file, *source.mark(path), "L032", message, near)


def _image_places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "image" and isinstance(item, str):
                yield (*path, key), item
            else:
                yield from _image_places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _image_places(item, (*path, index))


# --- which files ---------------------------------------------------------------------------------------
def _manifests(draft: LessonDraft, folder: Path) -> Iterator[YamlSource]:
    """Every manifest but the wrong ones: those may err on purpose."""
    for stem in ("start", "solution"):
        for path in [folder / f"{stem}.yaml", *sorted((folder / stem).glob("*.yaml"))]:
            if path.is_file():
                yield from read_manifests(path, _shown(draft, path), [])
    for path in sorted((folder / "right").rglob("*.yaml")):
        yield from read_manifests(path, _shown(draft, path), [])


def _images_checked(draft: LessonDraft, folder: Path) -> Iterator[YamlSource]:
    yield from _manifests(draft, folder)
    for path in sorted((folder / "files").glob("*.yaml")):
        try:
            yield from read_documents(read_text(path, _shown(draft, path)), _shown(draft, path))
        except LessonInvalid:
            continue  # what the student starts from may be broken on purpose


def _shown(draft: LessonDraft, path: Path) -> str:
    return f"{draft.slug}/{path.relative_to(draft.folder).as_posix()}"
