"""The signing key: made once, kept in the state folder, readable by nobody else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def ensure_secret_key(path: Path) -> str:
    """Return the key in `path`, making it first if there is none. Safe when two processes start at once."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        # link() fails when the other process was first; its key is then everybody's.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
