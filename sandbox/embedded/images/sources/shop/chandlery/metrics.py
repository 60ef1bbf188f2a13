"""Counters in Prometheus' text format."""

import _thread

from chandlery.identity import resident_bytes

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Metrics:
    """Thread-safe; `served` counts answers of the shop, not health checks."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._requests: dict[tuple[str, int], int] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._events: dict[str, int] = {}
        self.inflight = 0
        self.served = 0

    def begin(self) -> None:
        with self._lock:
            self.inflight += 1

    def end(self, route: str, code: int, seconds: float, *, shop: bool) -> None:
        place = next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        with self._lock:
            self.inflight -= 1
            self.served += shop
            self._requests[route, code] = self._requests.get((route, code), 0) + 1
            self._buckets[place] += 1
            self._seconds += seconds

    def count(self, name: str) -> None:
        """One more of what the shop counts beside requests, such as `shop_orders_total{state="accepted"}`."""
        with self._lock:
            self._events[name] = self._events.get(name, 0) + 1

    def render(self) -> str:
        with self._lock:
            requests, buckets = sorted(self._requests.items()), list(self._buckets)
            seconds, inflight, events = self._seconds, self.inflight, sorted(self._events.items())
        lines = ["# TYPE shop_requests_total counter"]
        lines += [f'shop_requests_total{{route="{route}",code="{code}"}} {n}' for (route, code), n in requests]
        lines.append("# TYPE shop_request_seconds histogram")
        total = 0
        for bound, n in zip((*map(str, BUCKETS), "+Inf"), buckets):
            total += n
            lines.append(f'shop_request_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"shop_request_seconds_sum {seconds:.6f}", f"shop_request_seconds_count {total}"]
        lines += ["# TYPE shop_inflight gauge", f"shop_inflight {inflight}"]
        for name, n in events:
            kind = f"# TYPE {name.partition('{')[0]} counter"
            lines += [f"{name} {n}"] if kind in lines else [kind, f"{name} {n}"]
        lines += ["# TYPE process_resident_memory_bytes gauge", f"process_resident_memory_bytes {resident_bytes()}"]
        return "\n".join(lines) + "\n"
