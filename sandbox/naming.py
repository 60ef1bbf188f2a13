"""Names of a sandbox's things, all from its random id. Pure.

Guarantees: valid for any input, the same for the same input, and as hard to guess as the id itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

# 50 bits: guessing one of 1,000 live namespaces at 100 tries a second takes on average over 3,000 years,
# and the name stays short enough to read in `kubectl` output.
KEY_LENGTH = 10
NAMESPACE_PREFIX = "gh-"
TOOLBOX_PREFIX = "toolbox-"

_NAMESPACE = re.compile(rf"gh-[a-z2-7]{{{KEY_LENGTH}}}")


def new_id() -> str:
    """A fresh sandbox id: 26 lower-case base32 characters, 130 random bits."""
    return base64.b32encode(secrets.token_bytes(17)).decode().lower()[:26]


def key_for(sandbox_id: str) -> str:
    """Ten lower-case base32 characters that stand for the sandbox in names and labels."""
    digest = hashlib.sha256(b"glasshull sandbox\0" + sandbox_id.encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest).decode().lower()[:KEY_LENGTH]


def namespace_for(sandbox_id: str) -> str:
    """`gh-` and the key: always a valid namespace name."""
    return NAMESPACE_PREFIX + key_for(sandbox_id)


def toolbox_for(sandbox_id: str) -> str:
    """Name of the sandbox's toolbox Pod in the namespace of toolboxes."""
    return TOOLBOX_PREFIX + key_for(sandbox_id)


def is_sandbox_namespace(name: str) -> bool:
    """True for names that `namespace_for` could have made."""
    return _NAMESPACE.fullmatch(name) is not None
