"""The author's command: `glasshull lesson …`. Needs no Django; only verify and record need a cluster.

What a sub-command does is in a module of its own, imported when it is called: `lint` must not wait for what
`verify` needs. Exit codes: 0, 1 with problems found, 2 when called wrongly or the lesson does not load,
3 without a cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
lesson = typer.Typer(no_args_is_help=True, help="Write, check and prove lessons.")
app.add_typer(lesson, name="lesson")

LessonPath = Annotated[Path, typer.Argument(help="A lesson's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@app.callback()
def glasshull() -> None:
    """Glasshull, for those who write lessons."""


@lesson.command()
def lint(
    path: Annotated[Path, typer.Argument(help="A course, a lesson, or a file in one.")],
    as_json: AsJson = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count as errors, as for publishing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again at every save, until Ctrl C.")] = False,
) -> None:
    """Find every mistake; no cluster is needed."""
    from authoring.lint import command, watching

    if watch:
        raise typer.Exit(watching(path, strict=strict))
    raise typer.Exit(command(path, as_data=as_json, strict=strict))


@lesson.command()
def explain(
    code: Annotated[str, typer.Argument(help="Such as L026; without one, all are listed.")] = "",
) -> None:
    """Say what a code of the linter refuses, and why."""
    from authoring.explain import command

    raise typer.Exit(command(code))


@lesson.command()
def new(
    slug: Annotated[str, typer.Argument(help="The folder's name, such as 20-my-lesson.")],
    course: Annotated[Path, typer.Option(help="The course's folder.")] = Path("lessons/how-clusters-work"),
    like: Annotated[
        str, typer.Option(help="A lesson of the course whose exercise, files and ways to begin with.")
    ] = "",
) -> None:
    """Make a small lesson to start from."""
    from authoring.new import command

    raise typer.Exit(command(slug, course, like))


@lesson.command()
def preview(
    path: LessonPath,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8400,
) -> None:
    """Show the lesson while you write it, with the linter's findings and the last proof; no cluster is needed."""
    from authoring.preview import command

    raise typer.Exit(command(path, port))


@lesson.command()
def verify(
    path: LessonPath,
    solution: Annotated[
        Path | None, typer.Option(help="Any manifest file, in place of the solution's.")
    ] = None,
    tier: Annotated[
        str, typer.Option(help="namespace (the cluster) or recorded (the recordings, no cluster).")
    ] = "namespace",
    runs: Annotated[int, typer.Option(help="How often the solution must pass.", min=1)] = 1,
    only: Annotated[str | None, typer.Option(help="One way by name, or start.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove the lesson, P01 to P10: start fails, right ways pass, wrong ones get their hint, and the rest."""
    from authoring.verify import TIERS, Asked, command

    if tier not in TIERS:
        raise typer.BadParameter(
            f"{tier} cannot be proven here; there is {', '.join(TIERS)}", param_hint="--tier"
        )
    asked = Asked(path, runs=runs, tier=tier, only=only)
    raise typer.Exit(command(asked, solution=solution, as_json=as_json))


@lesson.command()
def record(
    path: LessonPath,
    way: Annotated[
        str, typer.Argument(help="One way by name; without one, the solution and all wrong ones.")
    ] = "",
) -> None:
    """Keep the records of real runs beside the lesson; its page plays one where there is no cluster."""
    from authoring.recording import command

    raise typer.Exit(command(path, way))


@lesson.command()
def schema(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("lessons/schema"),
) -> None:
    """Write JSON Schemas for editors: exercise.yaml, course.yaml, apps.yaml, and lesson.md's front matter."""
    from authoring.schemas import command

    raise typer.Exit(command(out))


def main() -> None:
    """The console script `glasshull`."""
    app(prog_name="glasshull")
