"""When to start a dead component again. Pure: times come in as arguments."""

from dataclasses import dataclass, field

_FIRST_WAIT = 0.0
_LONGEST_WAIT = 4.0
"""With a look every quarter of a second a component is back within five seconds, always."""
_CALM_SECONDS = 30.0


@dataclass
class _Record:
    wait: float = _FIRST_WAIT
    due: float | None = None
    started: float = field(default=float("-inf"))


class Backoff:
    """0, 0.5, 1, 2, 4, 4… seconds; from the start again after half a minute of calm."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def is_due(self, name: str, now: float) -> bool:
        """Called while `name` is dead: True when it should be started now."""
        record = self._records.setdefault(name, _Record())
        if record.due is None:
            if now - record.started > _CALM_SECONDS:
                record.wait = _FIRST_WAIT
            record.due = now + record.wait
        return now >= record.due

    def started(self, name: str, now: float) -> None:
        """Tell that `name` was started: the next wait is longer, unless it then lives for long."""
        record = self._records.setdefault(name, _Record())
        record.due = None
        record.started = now
        record.wait = min(_LONGEST_WAIT, max(0.5, record.wait * 2))
