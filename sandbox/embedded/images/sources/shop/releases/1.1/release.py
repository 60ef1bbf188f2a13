"""What release 1.1 adds: a tide table for the shop's harbour."""

import math
import time

from chandlery.server import Request, Response
from chandlery.text import to_json

MOON = 44714.16  # seconds from one high water to the next (12 h 25 min 14 s)
HIGH_ONCE = 1704074400.0  # a high water at the harbour of this story: 2024-01-01 02:00 UTC
MEAN, RANGE = 2.1, 1.4  # metres; the harbour is made up, the rhythm of its water is the moon's
SHOWN = 4


def tides(now: float) -> list[dict[str, str]]:
    """The next high and low waters: `{time (UTC), water: high|low, height in m}`."""
    half = MOON / 2
    first = math.ceil((now - HIGH_ONCE) / half)
    return [_tide(HIGH_ONCE + n * half, high=n % 2 == 0) for n in range(first, first + SHOWN)]


def _tide(at: float, *, high: bool) -> dict[str, str]:
    return {
        "time": time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)),
        "water": "high" if high else "low",
        "height": f"{MEAN + (RANGE if high else -RANGE):.1f} m",
    }


def extra(now: float) -> str:
    """HTML below the price list, at `now` in seconds since 1970."""
    rows = "\n".join(
        f"<tr><td>{tide['time']}</td><td>{tide['water']} water</td><td>{tide['height']}</td></tr>" for tide in tides(now)
    )
    return (
        "<h2>Tide table</h2><table><thead><tr><th>Time (UTC)</th><th>Water</th><th>Height</th></tr></thead>"
        f"<tbody>\n{rows}\n</tbody></table>"
    )


def pages() -> dict[str, object]:
    """Pages that only this release has."""
    return {"/tides": lambda request: _answer(request)}


def _answer(request: Request) -> Response:
    return Response(200, to_json({"tides": tides(time.time())}))
