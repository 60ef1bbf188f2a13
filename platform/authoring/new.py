"""`glasshull lesson new SLUG`: the smallest lesson with something to do, in three files that already lint."""

from __future__ import annotations

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
Apply the file beside this text, or type {{cmd}}`kubectl apply -f shop.yaml`.

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
  - id: no-such-image
    when: 'pods("app=storefront").exists(p, p.status.?containerStatuses.orValue([]).exists(c, has(c.state.waiting)))'
    say: The Pod waits. Compare the name of the image with the file you started from.
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: storefront, labels: {{app: {label}}}}}
spec: {{containers: [{{name: app, image: "{image}", ports: [{{containerPort: 8080}}]}}]}}
"""
RIGHT, TYPO = "app/storefront:1.0", "app/storefrnt:1.0"


def command(slug: str, course: Path) -> int:
    """Make the folder and say what comes next; 2 when it cannot be made."""
    trouble = _refusal(slug, course)
    if trouble:
        print(trouble, file=sys.stderr)
        return 2
    folder = course / slug
    for name, text in files_for(slug).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"Made {folder}. Next: name {slug} under lessons: of a part in {course / 'course.yaml'}, then")
    print(f"glasshull lesson lint {folder}")
    return 0


def _refusal(slug: str, course: Path) -> str:
    if not is_slug(slug):
        return f'"{slug}": use lower-case letters, digits and dashes'
    if not (course / "course.yaml").is_file():
        return f"{course} has no course.yaml; name the course with --course"
    return f"{course / slug} exists already" if (course / slug).exists() else ""


def files_for(slug: str) -> dict[str, str]:
    """File name -> text of the lesson to start from."""
    title = slug.lstrip("0123456789-").replace("-", " ").capitalize() or slug
    pod = POD.format(label="storefront", image=RIGHT)
    return {
        "lesson.md": LESSON.format(title=title),
        "exercise.yaml": EXERCISE.format(title=title),
        "solution.yaml": pod,
        "files/shop.yaml": pod,
        "wrong/image-typo.yaml": f"# hint: no-such-image\n{POD.format(label='storefront', image=TYPO)}",
        "wrong/other-label.yaml": f"# hint: nothing-yet\n{POD.format(label='shop', image=RIGHT)}",
        "wrong/service-only.yaml": "# hint: nothing-yet\napiVersion: v1\nkind: Service\n"
        "metadata: {name: storefront}\nspec: {selector: {app: storefront}, ports: [{port: 80, targetPort: 8080}]}\n",
    }
