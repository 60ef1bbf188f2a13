"""Slow checks: the operator hears of them, and they judge nobody."""

from __future__ import annotations

import logging

import pytest

from sandbox.observing.effort import MOST_OF_A_SECOND, SILENT_S, Effort
from tests.sandbox.observing.shop import Shop

pytestmark = pytest.mark.usefixtures("clock")


class Worked:
    """An effort whose clock moves by what the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.effort = Effort(clock=lambda: self.now)

    def work(self, seconds: float, at: float) -> float | None:
        self.effort.begin()
        self.now += seconds
        return self.effort.end(at)


def test_a_second_may_take_as_much_as_is_allowed():
    worked = Worked()
    assert [worked.work(MOST_OF_A_SECOND / 2, at=100.1 + n / 10) for n in range(2)] == [None, None]
    assert worked.work(MOST_OF_A_SECOND, at=101.0) is None, "the next second begins at nothing"


def test_more_is_told_once_a_minute():
    worked = Worked()
    assert worked.work(0.2, at=100.0) is None
    assert worked.work(0.2, at=100.5) == pytest.approx(0.4)
    assert worked.work(0.2, at=100.6) is None
    assert worked.work(1.0, at=101.0) is None
    assert worked.work(1.0, at=100.5 + SILENT_S) == pytest.approx(1.0)


async def test_slow_checks_are_named_in_the_log_and_give_the_same_verdicts(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.begin()
    plain = [(each.check, each.state) for each in shop.track.engine.verdicts]
    ticks = iter(range(1000))
    shop.track.effort = Effort(clock=lambda: float(next(ticks)))  # each look takes a whole second
    with caplog.at_level(logging.WARNING):
        await shop.wait(3)
    said = [each.message for each in caplog.records if "of one second" in each.message]
    assert len(said) == 1
    assert shop.track.sandbox in said[0]
    assert [(each.check, each.state) for each in shop.track.engine.verdicts] == plain
