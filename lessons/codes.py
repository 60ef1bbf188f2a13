"""The linter's codes (lesson format, section 8): what each refuses, and why; printed by `lesson explain`."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Code(NamedTuple):
    """`severity` error stops the lesson from loading or being published; a warning is advice.

    `way_out`: what to do where the problem itself says nothing more exact.
    """

    severity: Literal["error", "warning"]
    refuses: str
    why: str
    way_out: str


CODES: dict[str, Code] = {
    "L001": Code(
        "error",
        "a required file is missing",
        "A lesson is a folder with lesson.md; when there is something to do, also exercise.yaml and a"
        " solution.",
        "add the file, or take out what needs it",
    ),
    "L002": Code(
        "error",
        "bad slug or id",
        "Ids stand in addresses, in the record and in marks: lower-case letters, digits and dashes, a"
        " letter first (a lesson's folder may start with a digit).",
        "lower-case letters, digits and dashes, a letter first: never-empty",
    ),
    "L003": Code(
        "error",
        "unknown key",
        "A key nobody reads is a wish nobody fulfils. Usually it is a typing error.",
        "take the key out, or look for its name in docs/authoring-lessons.md",
    ),
    "L004": Code(
        "error",
        "wrong type or value",
        "The value cannot mean what the key asks for.",
        "write a value of the kind that is asked for",
    ),
    "L005": Code(
        "error",
        "what needs a later version",
        "The file was written for a later Glasshull, or uses a part of the format that this one reads and cannot "
        "run yet. It would misread it, or a student would wait for something that never comes.",
        "leave it out for now; docs/authoring-lessons.md lists what this version runs",
    ),
    "L006": Code(
        "error",
        "YAML that is not allowed or not YAML",
        "Anchors, aliases and tags can blow up a small file; they, files over 256 KiB and nesting "
        "over 20 levels are refused before anything is built.",
        "write plain YAML: spaces only, values in full, text with special characters in quotes",
    ),
    "L007": Code(
        "error",
        "duplicate id",
        "Ids are unique in an exercise over all its sections, because checks, faults and predictions "
        "refer to each other by id alone.",
        "give one of the two another name",
    ),
    "L008": Code(
        "error",
        "outcome without an observable verb",
        "A check can see what somebody does, not what somebody understands. Begin with explain, "
        "predict, deploy, repair, compare, measure …",
        "begin with a verb that one can see somebody do",
    ),
    "L009": Code(
        "warning",
        "lesson or step too long",
        "Lessons of 5 to 25 minutes and steps of at most 250 words are finished; longer ones are left.",
        "split it, or say less",
    ),
    "L010": Code(
        "error",
        "unknown concept, or one that no open lesson teaches",
        "concepts.yaml is the promise of the course; every concept in it is taught by a step.",
        "name it in concepts.yaml and in :concepts: of the step that teaches it",
    ),
    "L011": Code(
        "error",
        "repeated step id",
        "A step's id is its address. It comes from the heading unless a step block names it.",
        "name one of the steps with a step block of its own",
    ),
    "L012": Code(
        "error",
        "unknown directive or role",
        "Only the blocks and roles of the format are drawn; anything else would stand in the page as code.",
        "look for the name in docs/authoring-lessons.md",
    ),
    "L013": Code(
        "error",
        "unknown option, missing argument, text where none belongs",
        "The block would not do what its author meant.",
        "look at the block's line in docs/authoring-lessons.md",
    ),
    "L014": Code(
        "error",
        "unclosed or unopened fence",
        "Every ::: block ends with as many colons as it began with. A block around another one needs "
        "more colons than it.",
        "end each block with a line of as many colons as it began with",
    ),
    "L015": Code(
        "error",
        "raw HTML or a script-like link",
        "Lessons are text from many hands shown in one page: no HTML, and links are https: or relative.",
        "write Markdown; links begin with https: or are relative",
    ),
    "L016": Code(
        "error",
        "remote or missing asset",
        "A lesson is complete in its folder. Nothing is fetched from elsewhere.",
        "put the picture into media/ and name it from there",
    ),
    "L017": Code(
        "error",
        "picture without a text",
        "Somebody will not see the picture. Say in words what it shows.",
        "add :alt: with a sentence that says what the picture shows",
    ),
    "L018": Code(
        "warning",
        "colour or direction as the only cue",
        "Not everybody sees the colour, and on a small screen nothing is left or right: name the object too.",
        "name the thing as well as its colour or place",
    ),
    "L019": Code(
        "error",
        "translation with another structure",
        "A translation carries only text: same steps, same blocks with the same arguments, in the "
        "same order.",
        "give the translation the same steps and blocks in the same order",
    ),
    "L020": Code(
        "error",
        "reference to something unknown",
        "The id, file, app or term named here does not exist.",
        "name something that exists, or add what is named",
    ),
    "L021": Code(
        "error",
        "bad target or selector",
        "A target says kind and selector, such as pod:app=storefront.",
        "write kind and selector, for example pod:app=storefront",
    ),
    "L022": Code(
        "error",
        "CEL syntax or type",
        "The expression cannot be evaluated. The column is the one within the expression.",
        "count to that column within the quotes; docs/authoring-lessons.md lists the names",
    ),
    "L023": Code(
        "error",
        "CEL name not available here",
        "What an expression may read depends on where it stands: object and old need each:, check "
        "only exists in hints. An id with a dash is written in brackets.",
        "use only names that exist there; docs/authoring-lessons.md lists them",
    ),
    "L024": Code(
        "error",
        "field not in the Kubernetes schema",
        "The API server would drop or refuse the field, and an expression would never find it.",
        "compare it with kubectl explain, letter by letter",
    ),
    "L025": Code(
        "error",
        "not exactly one operator, or a window is missing",
        "A check asks one question about one stretch of time.",
        "one operator a check, and the window it needs",
    ),
    "L026": Code(
        "error",
        "a check that the start state could pass",
        "Nobody should get points for having done nothing: give the check needs:, or a window that "
        "has to be earned.",
        "name in needs: a check that doing nothing cannot pass",
    ),
    "L027": Code(
        "warning",
        "no tolerance after a fault",
        "The fault is exact, the cluster's reaction is not. Allow for a little.",
        "allow one or two, or some seconds of grace",
    ),
    "L028": Code(
        "error",
        "a check that reads text the student can write",
        "Events, annotations and messages are claims. Check what the objects are.",
        "ask what the objects are: spec, status, owners",
    ),
    "L029": Code(
        "error",
        "capability not declared",
        "What the lesson uses needs a right or a kind of cluster that its front matter does not ask for.",
        "name it under capabilities: in lesson.md",
    ),
    "L030": Code(
        "error",
        "over budget",
        "The sandbox is cut to the budget: what does not fit will not start.",
        "raise budget: in lesson.md, or ask for less",
    ),
    "L031": Code(
        "error",
        "CEL cost bound",
        "Nested loops over Pods grow fast. The engine stops an evaluation at 10,000 steps; 8,000 is "
        "the limit for a lesson.",
        "nest fewer loops, or select fewer objects first",
    ),
    "L032": Code(
        "error",
        "image not in the catalogue",
        "Nothing is pulled from outside: lessons use the images of apps.yaml with an exact version.",
        "use an image of apps.yaml with its version, such as app/storefront:1.0",
    ),
    "L033": Code(
        "error",
        "nothing checks what happened during a fault",
        "A fault worth injecting is worth looking at: at least one check with points has its window there.",
        "give a check with points during: that fault",
    ),
    "L034": Code(
        "warning",
        "too few wrong solutions, or one without a hint",
        "Three ways to go wrong, each with the hint that helps, are the proof that the checks tell "
        "right from wrong.",
        "add wrong ways to wrong/, the first line of each naming its hint",
    ),
    "L035": Code(
        "error",
        "the solution stands in the text",
        "A hint names what is seen and where to look, not the finished YAML.",
        "say what is seen and where to look, not what to write",
    ),
    "L036": Code(
        "error",
        "a secret or an e-mail address",
        "Lessons are public.",
        "take it out",
    ),
}
