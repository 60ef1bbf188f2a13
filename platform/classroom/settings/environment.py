"""What the process's environment says, read once and typed. Every name here has a line in docs/settings.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class SettingInvalid(Exception):
    """A variable holds something we cannot use; the message names it and what it wants."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The operator's choices. The field's comment names the variable it comes from."""

    home: Path  # GLASSHULL_HOME
    bind: str  # BIND
    port: int  # PORT
    hosts: tuple[str, ...]  # GLASSHULL_HOSTS
    broker: str  # GLASSHULL_BROKER
    lessons: Path  # GLASSHULL_LESSONS
    sandbox_limit: int  # GLASSHULL_SANDBOX_LIMIT; 0 = computed from the cluster's memory
    sandbox_minutes: int  # GLASSHULL_SANDBOX_MINUTES
    signin_hours: int  # GLASSHULL_SIGNIN_HOURS
    log_level: str  # GLASSHULL_LOG_LEVEL
    debug: bool  # GLASSHULL_DEBUG


NAMES = (
    "GLASSHULL_HOME",
    "BIND",
    "PORT",
    "GLASSHULL_HOSTS",
    "GLASSHULL_BROKER",
    "GLASSHULL_LESSONS",
    "GLASSHULL_SANDBOX_LIMIT",
    "GLASSHULL_SANDBOX_MINUTES",
    "GLASSHULL_SIGNIN_HOURS",
    "GLASSHULL_LOG_LEVEL",
    "GLASSHULL_DEBUG",
)


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Raises SettingInvalid for a number that is none or lies outside its range."""
    return Environment(
        home=Path(environ.get("GLASSHULL_HOME") or default_home()).expanduser().absolute(),
        bind=environ.get("BIND") or "127.0.0.1",
        port=_number(environ, "PORT", 8300, least=1, most=65535),
        hosts=tuple(environ.get("GLASSHULL_HOSTS", "").replace(",", " ").split()),
        broker=environ.get("GLASSHULL_BROKER") or "filesystem://",
        lessons=Path(environ.get("GLASSHULL_LESSONS") or ROOT / "lessons"),
        sandbox_limit=_number(environ, "GLASSHULL_SANDBOX_LIMIT", 0, least=0, most=1000),
        sandbox_minutes=_number(environ, "GLASSHULL_SANDBOX_MINUTES", 120, least=5, most=1440),
        signin_hours=_number(environ, "GLASSHULL_SIGNIN_HOURS", 24, least=1, most=720),
        log_level=(environ.get("GLASSHULL_LOG_LEVEL") or "INFO").upper(),
        debug=environ.get("GLASSHULL_DEBUG", "") in ("1", "true", "yes"),
    )


def default_home() -> Path:
    """The same folder that `manage.py up` uses."""
    return Path.home() / ".local" / "share" / "glasshull"


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingInvalid(f"{name}={text!r}: set a whole number from {least} to {most}.")
    return int(text)
