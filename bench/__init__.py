"""Side-by-side measurements; each prints a ratio against a reference taken in the same run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "platform"))  # `classroom` lives there
