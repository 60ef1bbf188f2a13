from __future__ import annotations

import pytest
from django.test import Client

from classroom.accounts.limits import MAX_KEYS, Buckets, refuse_if_too_fast
from classroom.refusals import Refused


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_allows_its_burst_then_one_per_interval() -> None:
    clock = Clock()
    buckets = Buckets(burst=3, seconds=2, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a") == pytest.approx(2.0)
    clock.now = 2.0
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0


def test_keys_do_not_share_and_memory_stays_bounded() -> None:
    buckets = Buckets(burst=1, seconds=60, clock=Clock())
    assert buckets.take("a") == 0.0
    assert buckets.take("b") == 0.0
    for number in range(MAX_KEYS + 50):
        buckets.take(str(number))
    assert len(buckets._levels) == MAX_KEYS


def test_a_refusal_says_when_to_come_back() -> None:
    buckets = Buckets(burst=1, seconds=5, clock=Clock())
    refuse_if_too_fast(buckets, "a")
    with pytest.raises(Refused) as caught:
        refuse_if_too_fast(buckets, "a")
    assert (caught.value.status, caught.value.more["retry_after"]) == (429, 5)


@pytest.mark.django_db
def test_P48_guessing_class_codes_is_slowed_down() -> None:
    client = Client()
    answers = [
        client.post("/join/", {"code": f"KEEL-{n}", "name": "Eve"}).status_code for n in range(1000, 1030)
    ]
    assert answers[:20] == [400] * 20
    assert answers[-1] == 429
