"""Questions answered through the observer: every form is read, locked once, marked and shown at once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sandbox.observing import ActRefused
from sandbox.record.exercise import Prediction
from tests.sandbox.observing.shop import BOX, Clock, Shop
from tests.sandbox.record.lesson14 import exercise as lesson14

HOPS = {"api": "The request", "plan": "The plan", "run": "The Pod"}
ASKED = {
    "order": Prediction(id="hops", ask="?", answer="order", choices=HOPS, observed='[["api", "plan", "run"]]'),
    "match": Prediction(
        id="sides", ask="?", answer="match", choices={"all": "All", "none": "None"}, given={"l": "L", "r": "R"},
        observed='[{"l": "all", "r": "none"}]', why={"l/none": "Count ${params.replicas} again."},
    ),
    "duration": Prediction(id="gap", ask="?", answer="duration", observed="[12]", tolerance="±2s"),
}  # fmt: skip


@pytest.fixture
def asking(clock: Clock) -> Shop:
    return Shop(clock, msgspec.structs.replace(lesson14(), questions=tuple(ASKED.values())))


async def test_a_question_is_answered_marked_and_shown_in_one_batch(asking: Shop) -> None:
    await asking.begin()
    asking.observer.answer(BOX, "sides", {"r": "none", "l": "none"})
    said, came = asking.kinds("answer")
    assert said == {"id": "sides", "value": {"l": "none", "r": "none"}, "why": "Count 3 again."}
    assert came == {
        "id": "sides", "observed": [{"l": "all", "r": "none"}], "right": False, "pairs": [1, 2],
    }  # fmt: skip
    assert {entry.kind for entry in asking.store.batches[-1]} >= {"answer"}
    item = asking.track.picture.items["answer/sides"]
    assert (item["right"], item["pairs"], item["why"]) == (False, [1, 2], "Count 3 again.")


async def test_an_answer_in_words_of_time_is_kept_as_seconds(asking: Shop) -> None:
    await asking.begin()
    asking.observer.answer(BOX, "gap", "13s")
    assert asking.kinds("answer")[0] == {"id": "gap", "value": 13}
    assert asking.track.picture.items["answer/gap"]["right"] is True


@pytest.mark.parametrize(
    ("question", "value", "words"),
    [
        ("hops", ["api", "plan"], "Put all 3 in order"),
        ("hops", ["x" * 3000], "too long"),
        ("sides", {"l": "all"}, "each of the 2 lines"),
        ("gap", float("nan"), "how many seconds"),
        ("gap", None, "how many seconds"),
        ("who-returns", "new", "asks nothing called who-returns"),
        ("nobody", 1, "asks nothing called nobody"),
    ],
)
async def test_what_cannot_be_an_answer_is_not_locked(
    asking: Shop, question: str, value: Any, words: str
) -> None:
    await asking.begin()
    with pytest.raises(ActRefused, match=words):
        asking.observer.answer(BOX, question, value)
    assert asking.kinds("answer") == []


async def test_a_question_is_answered_once(asking: Shop) -> None:
    await asking.begin()
    with pytest.raises(ActRefused, match="asks nothing called hops"):
        asking.observer.predict(BOX, "hops", list(HOPS))
    asking.observer.answer(BOX, "hops", ["run", "plan", "api"])
    with pytest.raises(ActRefused, match="locked already"):
        asking.observer.answer(BOX, "hops", list(HOPS))
    assert len(asking.kinds("answer")) == 2
