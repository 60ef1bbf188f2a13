"""How much traffic a lesson may have sent to a sandbox. The prober holds to the same numbers by itself."""

from __future__ import annotations

import re

MOST_RATE = 60.0  # requests a second of one load
LONGEST_S = 120.0
MOST_OF_A_SANDBOX = 2  # loads at a time
MOST_OF_ALL = 600.0  # requests a second, over all sandboxes
LOAD_TIMEOUT_S = 2.0  # how long a customer waits for an answer
SCRIPTS = ("browse", "basket", "order")
SHAPES = ("steady", "ramp", "burst")
# One name below the namespace: with a dot it could be a Service of somebody else.
SERVICE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
