"""Switches: how a lesson makes an app misbehave. Set by `SWITCH` in the environment or `POST :9090/switch`."""

import _thread
import time

from chandlery.text import parse_duration, parse_size

NAMES = ("ready", "live", "slow", "error", "hang", "spin", "leak", "ignore-sigterm", "exit")


class SwitchRefused(ValueError):
    """The words of a switch make no sense; nothing was changed."""


class Switches:
    """What is wrong with this app on purpose. Attributes are read by every request, without a lock:

    each is replaced as a whole, and a request that sees the old value came before the switch. `parts` are the
    modules inside this process that can hang on their own; `hang` with the app's own name is plain `hang`.
    """

    def __init__(self, name: str = "", parts: tuple[str, ...] = ()) -> None:
        self._name = name
        self._parts = parts
        self._due = 0.0
        self._counting = _thread.allocate_lock()
        self.restore()

    def restore(self) -> None:
        """Everything well again."""
        self.ready = True
        self.live = True
        self.slow = 0.0  # seconds every shop request waits
        self.error = 0.0  # share of shop requests answered 500
        self.hang = False  # the whole process stands still
        self.hang_part = ""  # it will, as soon as somebody asks this part of it
        self.spin = False
        self.leak = 0.0  # bytes taken a second
        self.ignore_sigterm = False
        self.exit: int | None = None

    def turn(self, text: str) -> None:
        """Obey `name=value` words separated by commas, spaces or lines; `reset` restores all. All or nothing."""
        words = text.replace(",", " ").replace("&", " ").split()
        if not words:
            raise SwitchRefused("no switch given; known: " + " ".join(NAMES) + " reset")
        changes = [self._read(word) for word in words]
        for name, value in changes:
            if name == "reset":
                self.restore()
            elif name == "hang":
                self.hang, self.hang_part = value
            else:
                setattr(self, name.replace("-", "_"), value)

    def _read(self, word: str) -> tuple[str, object]:
        name, has_value, value = word.partition("=")
        try:
            if name == "reset":
                return name, None
            if name in ("ready", "live", "ignore-sigterm", "spin"):
                return name, _on(value)
            if name == "hang":
                return name, self._read_hang(value if has_value else "on")
            if name == "leak":
                return name, 0.0 if value == "off" else parse_size(value.removesuffix("/s"))
            if name == "slow":
                return name, 0.0 if value == "off" else parse_duration(value)
            if name == "error":
                return name, 0.0 if value == "off" else _share(value)
            if name == "exit":
                return name, _exit_code(value)
        except ValueError as refused:
            raise SwitchRefused(f"{word!r}: {refused}") from None
        raise SwitchRefused(f"unknown switch {name!r}; known: " + " ".join(NAMES) + " reset")

    def _read_hang(self, value: str) -> tuple[bool, str]:
        """(the process hangs, the part of it that will)."""
        if value in self._parts:
            return False, value
        return value == self._name or _on(value), ""

    def enter(self, part: str) -> None:
        """Whoever asks a part that hangs holds the process's worker, and with it everybody else."""
        if self.hang_part and self.hang_part == part:
            self.hang = True
        while self.hang:
            time.sleep(0.05)

    def next_fails(self) -> bool:
        """True for `error` of all calls, evenly spread: 0.33 fails every third, so lessons can count on it."""
        share = self.error
        with self._counting:
            self._due = self._due + share if share else 0.0
            # 0.33 means "one in three", not "33 in 100": adding it three times does not reach 1.
            fails = self._due >= 0.985
            if fails:
                self._due = max(0.0, self._due - 1)
        return fails

    def describe(self) -> dict[str, object]:
        return {
            "ready": "on" if self.ready else "off",
            "live": "on" if self.live else "off",
            "slow": f"{round(self.slow * 1000)}ms",
            "error": self.error,
            "hang": self.hang_part or ("on" if self.hang else "off"),
            "spin": "on" if self.spin else "off",
            "leak": f"{round(self.leak)}/s",
            "ignore-sigterm": "on" if self.ignore_sigterm else "off",
            "exit": self.exit,
        }


def _on(value: str) -> bool:
    if value in ("on", "1", "true"):
        return True
    if value in ("off", "0", "false"):
        return False
    raise ValueError("say on or off")


def _share(value: str) -> float:
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError("the share must be between 0 and 1")
    return share


def _exit_code(value: str) -> int:
    code = int(value)
    if not 0 <= code <= 255:
        raise ValueError("an exit code is between 0 and 255")
    return code
