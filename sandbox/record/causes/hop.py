"""One link of a chain of causes, and how a chain of them is put in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

How: TypeAlias = Literal["observed", "inferred"]

# The six steps of a wish, then what keeps customers away until it is served.
Stage: TypeAlias = Literal[
    "request", "object", "controller", "scheduler", "kubelet", "container", "probe", "endpoints", ""
]


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, and how we know.

    `of` is the picture's key of the object acted upon; `seq` the entry that shows it, None where the record
    holds it only after its effect; `at` Unix seconds; `cites` every entry the evidence rests on. `inferred`
    is said wherever no entry shows who acted, and `missing` then names what would have shown it.
    """

    actor: str
    text: str
    evidence: str
    at: float
    seq: int | None
    of: str | None = None
    stage: Stage = ""
    missing: str | None = None
    cites: tuple[int, ...] = ()
    n: int = 0

    @property
    def how(self) -> How:
        return "inferred" if self.missing else "observed"

    def as_json(self) -> dict[str, object]:
        """As the endpoint sends it (docs/live-protocol.md section 3)."""
        return {**msgspec.to_builtins(self), "how": self.how}


def in_order(hops: Iterable[Hop]) -> list[Hop]:
    """Numbered from 1, no hop later than the one it led to.

    Causes are known here from owners and revisions, not from the order of entries: the audit log and the
    watches of two kinds reach the record by ways of their own. A cause whose entry came after its effect's
    is shown at the effect when both are about one object, else at no entry.
    """
    ordered: list[Hop] = []
    seq, at, effect = _LAST, float("inf"), None
    for hop in reversed(list(hops)):
        shown = hop.seq
        if shown is not None and shown > seq:
            shown = seq if effect is not None and hop.of == effect.of and effect.seq == seq else None
        effect = msgspec.structs.replace(hop, at=min(hop.at, at), seq=shown)
        seq, at = seq if shown is None else shown, effect.at
        ordered.append(effect)
    return [msgspec.structs.replace(hop, n=n) for n, hop in enumerate(reversed(ordered), 1)]


_LAST = 2**63
