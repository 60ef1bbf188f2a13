"""The linter's codes (lesson format, section 8): what each refuses, and why; printed by `lesson explain`."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Code(NamedTuple):
    """`severity` error stops the lesson from loading or being published; a warning is advice."""

    severity: Literal["error", "warning"]
    refuses: str
    why: str


CODES: dict[str, Code] = {
    "L001": Code(
        "error",
        "a required file is missing",
        "A lesson is a folder with lesson.md; when there is something to do, also exercise.yaml and a"
        " solution.",
    ),
    "L002": Code(
        "error",
        "bad slug or id",
        "Ids stand in addresses, in the record and in marks: lower-case letters, digits and dashes, a"
        " letter first (a lesson's folder may start with a digit).",
    ),
    "L003": Code(
        "error",
        "unknown key",
        "A key nobody reads is a wish nobody fulfils. Usually it is a typing error.",
    ),
    "L004": Code(
        "error",
        "wrong type or value",
        "The value cannot mean what the key asks for.",
    ),
    "L005": Code(
        "error",
        "what needs a later version",
        "The file was written for a later Glasshull, or uses a part of the format that this one reads and cannot "
        "run yet. It would misread it, or a student would wait for something that never comes.",
    ),
    "L006": Code(
        "error",
        "YAML that is not allowed or not YAML",
        "Anchors, aliases and tags can blow up a small file; they, files over 256 KiB and nesting "
        "over 20 levels are refused before anything is built.",
    ),
    "L007": Code(
        "error",
        "duplicate id",
        "Ids are unique in an exercise over all its sections, because checks, faults and predictions "
        "refer to each other by id alone.",
    ),
    "L008": Code(
        "error",
        "outcome without an observable verb",
        "A check can see what somebody does, not what somebody understands. Begin with explain, "
        "predict, deploy, repair, compare, measure …",
    ),
    "L009": Code(
        "warning",
        "lesson or step too long",
        "Lessons of 5 to 25 minutes and steps of at most 250 words are finished; longer ones are left.",
    ),
    "L010": Code(
        "error",
        "unknown concept, or one that no open lesson teaches",
        "concepts.yaml is the promise of the course; every concept in it is taught by a step.",
    ),
    "L011": Code(
        "error",
        "repeated step id",
        "A step's id is its address. It comes from the heading unless a step block names it.",
    ),
    "L012": Code(
        "error",
        "unknown directive or role",
        "Only the blocks and roles of the format are drawn; anything else would stand in the page as code.",
    ),
    "L013": Code(
        "error",
        "unknown option, missing argument, text where none belongs",
        "The block would not do what its author meant.",
    ),
    "L014": Code(
        "error",
        "unclosed or unopened fence",
        "Every ::: block ends with as many colons as it began with. A block around another one needs "
        "more colons than it.",
    ),
    "L015": Code(
        "error",
        "raw HTML or a script-like link",
        "Lessons are text from many hands shown in one page: no HTML, and links are https: or relative.",
    ),
    "L016": Code(
        "error",
        "remote or missing asset",
        "A lesson is complete in its folder. Nothing is fetched from elsewhere.",
    ),
    "L017": Code(
        "error",
        "picture without a text",
        "Somebody will not see the picture. Say in words what it shows.",
    ),
    "L018": Code(
        "warning",
        "colour or direction as the only cue",
        "Not everybody sees the colour, and on a small screen nothing is left or right: name the object too.",
    ),
    "L019": Code(
        "error",
        "translation with another structure",
        "A translation carries only text: same steps, same blocks with the same arguments, in the "
        "same order.",
    ),
    "L020": Code(
        "error",
        "reference to something unknown",
        "The id, file, app or term named here does not exist.",
    ),
    "L021": Code(
        "error",
        "bad target or selector",
        "A target says kind and selector, such as pod:app=storefront.",
    ),
    "L022": Code(
        "error",
        "CEL syntax or type",
        "The expression cannot be evaluated. The column is the one within the expression.",
    ),
    "L023": Code(
        "error",
        "CEL name not available here",
        "What an expression may read depends on where it stands: object and old need each:, check "
        "only exists in hints. An id with a dash is written in brackets.",
    ),
    "L024": Code(
        "error",
        "field not in the Kubernetes schema",
        "The API server would drop or refuse the field, and an expression would never find it.",
    ),
    "L025": Code(
        "error",
        "not exactly one operator, or a window is missing",
        "A check asks one question about one stretch of time.",
    ),
    "L026": Code(
        "error",
        "a check that the start state could pass",
        "Nobody should get points for having done nothing: give the check needs:, or a window that "
        "has to be earned.",
    ),
    "L027": Code(
        "warning",
        "no tolerance after a fault",
        "The fault is exact, the cluster's reaction is not. Allow for a little.",
    ),
    "L028": Code(
        "error",
        "a check that reads text the student can write",
        "Events, annotations and messages are claims. Check what the objects are.",
    ),
    "L029": Code(
        "error",
        "capability not declared",
        "What the lesson uses needs a right or a kind of cluster that its front matter does not ask for.",
    ),
    "L030": Code(
        "error",
        "over budget",
        "The sandbox is cut to the budget: what does not fit will not start.",
    ),
    "L031": Code(
        "error",
        "CEL cost bound",
        "Nested loops over Pods grow fast. The engine stops an evaluation at 10,000 steps; 8,000 is "
        "the limit for a lesson.",
    ),
    "L032": Code(
        "error",
        "image not in the catalogue",
        "Nothing is pulled from outside: lessons use the images of apps.yaml with an exact version.",
    ),
    "L033": Code(
        "error",
        "nothing checks what happened during a fault",
        "A fault worth injecting is worth looking at: at least one check with points has its window there.",
    ),
    "L034": Code(
        "warning",
        "too few wrong solutions, or one without a hint",
        "Three ways to go wrong, each with the hint that helps, are the proof that the checks tell "
        "right from wrong.",
    ),
    "L035": Code(
        "error",
        "the solution stands in the text",
        "A hint names what is seen and where to look, not the finished YAML.",
    ),
    "L036": Code(
        "error",
        "a secret or an e-mail address",
        "Lessons are public.",
    ),
}
