"""`glasshull lesson new SLUG`: the smallest lesson with something to do, in three files that verify at once."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from lessons.course_loading import is_slug

LESSON = """\
---
title: {title}
minutes: 10
outcomes: [deploy an app]
budget: {{pods: 2, memory: 64Mi}}
apps: [storefront]
---
## Run it
Say here what the student will see, in plain words. A {{term}}`Pod` is the smallest thing a cluster runs.

:::{{exercise}}
:::
Start one with this command.

:::{{run}}
kubectl run storefront --image=app/storefront:1.0 --labels=app=storefront
:::
:::{{checks}} all
:::
"""
EXERCISE = """\
format: 1
title: {title}
task: Get one `storefront` Pod ready.
checks:
  - {{id: up, say: The shop is ready, eventually: 'readyPods("app=storefront").size() >= 1', within: 5m}}
hints:
  - {{id: nothing-yet, when: 'pods("app=storefront").size() == 0', say: No Pod of the shop is there yet.}}
"""
SOLUTION = """\
apiVersion: v1
kind: Pod
metadata: {name: storefront, labels: {app: storefront}}
spec: {containers: [{name: app, image: "app/storefront:1.0", ports: [{containerPort: 8080}]}]}
"""
# What another lesson's copy does not begin with: runs of that lesson, and translations of its text.
LEFT_OUT = shutil.ignore_patterns("recordings", "*.de.md", ".*", "*~")
_TITLE = re.compile(r"^title:.*$", re.MULTILINE)


def command(slug: str, course: Path, like: str = "") -> int:
    """Make the folder and say what comes next; 2 when it cannot be made."""
    trouble = _refusal(slug, course, like)
    if trouble:
        print(trouble, file=sys.stderr)
        return 2
    folder = course / slug
    if like:
        copy_of(course / like, folder, title_of(slug))
    else:
        folder.mkdir()
        for name, text in files_for(slug).items():
            (folder / name).write_text(text, encoding="utf-8")
    print(f"Made {folder}. Next: name {slug} under lessons: of a part in {course / 'course.yaml'}, then")
    print(f"glasshull lesson preview {folder}")
    return 0


def title_of(slug: str) -> str:
    return slug.lstrip("0123456789-").replace("-", " ").capitalize() or slug


def copy_of(source: Path, folder: Path, title: str) -> None:
    """All that makes the other lesson work, under a title of its own."""
    shutil.copytree(source, folder, ignore=LEFT_OUT)
    for name in ("lesson.md", "exercise.yaml"):
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(_TITLE.sub(f"title: {title}", text, count=1), encoding="utf-8")


def _refusal(slug: str, course: Path, like: str) -> str:
    if not is_slug(slug):
        return f'"{slug}": use lower-case letters, digits and dashes'
    if not (course / "course.yaml").is_file():
        return f"{course} has no course.yaml; name the course with --course"
    if like and not (course / like / "lesson.md").is_file():
        known = ", ".join(sorted(path.parent.name for path in course.glob("*/lesson.md")))
        return f"{course} has no lesson {like}; there is {known}"
    return f"{course / slug} exists already" if (course / slug).exists() else ""


def files_for(slug: str) -> dict[str, str]:
    """File name -> text of the lesson to start from."""
    title = title_of(slug)
    return {
        "lesson.md": LESSON.format(title=title),
        "exercise.yaml": EXERCISE.format(title=title),
        "solution.yaml": SOLUTION,
    }
