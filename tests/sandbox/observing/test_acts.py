"""What people may do and when; what a fault leaves in the record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.errors import ApiError, ClusterUnavailable, Conflict, NotFound, Unauthorized
from sandbox.observing import ActRefused, acting, faulting
from sandbox.record.entry import RecordUnavailable
from tests.sandbox.observing.shop import BOX, Shop

pytestmark = pytest.mark.usefixtures("clock")


async def deployed(shop: Shop) -> None:
    """Three Pods of a Deployment, all ready: `kill` may be started once the question is answered."""
    await shop.begin()
    shop.deploy("a", "b", "c")
    await shop.wait(3)
    assert shop.observer.snapshot(BOX)["items"]["check/enough"]["state"] == "pass"


async def refused(act: Any) -> ActRefused:
    with pytest.raises(ActRefused) as caught:
        await act
    return caught.value


# --- refusals ----------------------------------------------------------------------------------------
async def test_nothing_can_be_done_in_a_sandbox_that_is_not_there(shop: Shop) -> None:
    await shop.start_process()
    for act in (
        shop.observer.start_fault(BOX, "kill"),
        shop.observer.delete_pod(BOX, "u"),
        shop.observer.reset(BOX, []),
    ):
        assert (await refused(act)).code == "not-ready"
    for name in ("submit", "open_hint"):
        with pytest.raises(ActRefused, match="not ready yet"):
            getattr(shop.observer, name)(BOX)


async def test_nothing_counts_while_the_shop_is_opening_or_being_reset(shop: Shop) -> None:
    await shop.start_process()
    await shop.open()
    assert (await refused(shop.observer.start_fault(BOX, "kill"))).code == "not-open"
    with pytest.raises(ActRefused, match="still opening"):
        shop.observer.predict(BOX, "who-returns", "new")
    with pytest.raises(ActRefused, match="still opening"):
        shop.observer.submit(BOX)


async def test_a_fault_says_what_must_pass_first(shop: Shop) -> None:
    await shop.begin()
    found = await refused(shop.observer.start_fault(BOX, "kill"))
    assert (found.code, str(found)) == ("needs", "First: The wanted number is ready.")
    assert (await refused(shop.observer.start_fault(BOX, "again"))).code == "not-yours"
    assert (await refused(shop.observer.start_fault(BOX, "burn"))).code == "unknown"
    assert shop.phases("kill") == ["armed"]
    assert shop.api.asked == []


async def test_a_fault_waits_for_the_answer_to_its_question(shop: Shop) -> None:
    await deployed(shop)
    assert (await refused(shop.observer.start_fault(BOX, "kill"))).code == "predict-first"
    assert (await refused(shop.observer.delete_pod(BOX, "uid-a"))).code == "predict-first"
    shop.observer.predict(BOX, "who-returns", "new")
    await shop.observer.start_fault(BOX, "kill")
    assert (await refused(shop.observer.start_fault(BOX, "kill"))).code == "running"


async def test_an_answer_is_locked_once_and_must_be_one(shop: Shop) -> None:
    await deployed(shop)
    with pytest.raises(ActRefused, match="none of the answers"):
        shop.observer.predict(BOX, "who-returns", "elephants")
    with pytest.raises(ActRefused, match="none of the answers"):
        shop.observer.predict(BOX, "who-returns", ["new"])
    shop.observer.predict(BOX, "who-returns", "new")
    for value in ("new", "same"):
        with pytest.raises(ActRefused, match="locked already"):
            shop.observer.predict(BOX, "who-returns", value)
    assert shop.kinds("prediction") == [{"id": "who-returns", "value": "new"}]


async def test_an_answer_that_could_not_be_written_is_locked_all_the_same(shop: Shop) -> None:
    await deployed(shop)
    shop.store.refuses = True
    with pytest.raises(ActRefused, match="tried again by itself"):
        shop.observer.predict(BOX, "who-returns", "new")
    with pytest.raises(ActRefused, match="locked already"):
        shop.observer.predict(BOX, "who-returns", "same")
    shop.store.refuses = False
    shop.observer.commit()
    assert [change["value"] for change in shop.kinds("prediction")] == ["new"]


async def test_what_is_handed_in_is_handed_in(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.submit(BOX)
    with pytest.raises(ActRefused, match="handed in"):
        shop.observer.submit(BOX)
    with pytest.raises(ActRefused, match="handed in"):
        shop.observer.open_hint(BOX)
    assert (await refused(shop.observer.start_fault(BOX, "kill"))).code == "handed-in"
    assert len(shop.kinds("submit")) == 1


# --- deleting ----------------------------------------------------------------------------------------
async def test_deleting_what_is_no_target_is_only_an_action(shop: Shop) -> None:
    await shop.begin()
    assert await shop.observer.delete_pod(BOX, "uid-storefront") == "storefront"  # `enough` has not passed
    assert shop.phases("kill") == ["armed"]
    method, path, fields = shop.api.asked[-1]
    assert (method, path.rpartition("/")[2]) == ("DELETE", "storefront")
    assert (fields["token"], fields["user_agent"]) == ("canary-token", "glasshull-picture")
    assert fields["body"] == {"preconditions": {"uid": "uid-storefront"}}


async def test_deleting_the_target_on_the_picture_starts_the_fault_on_that_very_pod(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    assert await shop.observer.delete_pod(BOX, "uid-b") == "b"
    started = [change for change in shop.kinds("fault") if change["phase"] == "started"]
    assert [change["target"]["uid"] for change in started] == ["uid-b"]
    assert shop.api.deleted == ["b"]


@pytest.mark.parametrize(
    "error", [NotFound(404, "NotFound", "gone"), Conflict(409, "Conflict", "another uid")]
)
async def test_a_pod_that_went_meanwhile(shop: Shop, error: ApiError) -> None:
    await deployed(shop)
    assert (await refused(shop.observer.delete_pod(BOX, "uid-nobody"))).code == "gone"
    shop.api.error = error
    shop.see(
        "ADDED", {"kind": "Pod", "metadata": {"name": "mine", "uid": "uid-mine"}, "spec": {}, "status": {}}
    )
    assert (await refused(shop.observer.delete_pod(BOX, "uid-mine"))).code == "gone"


async def test_a_key_the_cluster_forgot_is_renewed_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.begin()
    made: list[str] = []

    async def token(*_: Any) -> Any:
        made.append(f"t{len(made)}")
        return acting.Token(made[-1], 2e10)

    monkeypatch.setattr(acting, "student_token", token)
    errors: list[Exception | None] = [Unauthorized(401, "Unauthorized", "no"), None]
    used: list[str] = []

    async def kill(*_: Any, token: str, **__: Any) -> None:
        used.append(token)
        error = errors.pop(0)
        if error:
            raise error

    monkeypatch.setattr(acting, "kill_pod", kill)
    await shop.observer.delete_pod(BOX, "uid-storefront")
    assert used == ["t0", "t1"]
    errors[:] = [Unauthorized(401, "Unauthorized", "no"), Unauthorized(401, "Unauthorized", "no")]
    with pytest.raises(Unauthorized):
        await shop.observer.delete_pod(BOX, "uid-storefront")


# --- what a fault leaves -----------------------------------------------------------------------------
async def test_started_is_in_the_record_before_the_call_goes_out(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    seen: list[list[str]] = []
    shop.api.on_delete = lambda _path: seen.append(shop.phases("kill"))
    await shop.observer.start_fault(BOX, "kill", pod="uid-c")
    assert [phases[-1] for phases in seen] == ["started"]
    assert shop.api.deleted == ["c"]


async def test_a_failure_of_ours_says_so(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    shop.api.error = ApiError(500, "InternalError", "etcd is away")
    found = await refused(shop.observer.start_fault(BOX, "kill"))
    assert found.code == "failed"
    last = shop.kinds("fault")
    failed = next(change for change in last if change["phase"] == "failed")
    assert failed["ours"] is True
    assert "etcd is away" in failed["text"]
    shop.api.error = None
    await shop.observer.start_fault(BOX, "kill")  # it may be tried again


async def test_a_silent_cluster_is_told_without_its_address(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    shop.api.error = ClusterUnavailable("The cluster at https://10.2.0.1:16443 cannot be reached.")
    found = await refused(shop.observer.start_fault(BOX, "kill"))
    assert str(found) == "The Pod could not be deleted: the cluster does not answer just now"
    assert "10.2.0.1" not in str([shop.kinds("fault"), shop.frames])


async def test_without_a_target_nothing_begins(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    assert (await refused(shop.observer.start_fault(BOX, "kill", pod="uid-nobody"))).code == "no-target"
    assert "started" not in shop.phases("kill")


async def test_a_start_that_was_not_written_has_not_begun(shop: Shop) -> None:
    await deployed(shop)
    shop.observer.predict(BOX, "who-returns", "new")
    shop.store.refuses = True
    assert (await refused(shop.observer.start_fault(BOX, "kill"))).code == "record-away"
    shop.store.refuses = False
    shop.observer.commit()
    assert shop.api.deleted == []
    assert shop.phases("kill")[-2:] == ["started", "failed"]
    await shop.observer.start_fault(BOX, "kill")
    assert len(shop.api.deleted) == 1


async def test_our_own_test_waits_for_a_record_that_refuses(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deployed(shop)
    shop.observer.submit(BOX)
    await shop.turn()
    shop.api.asked.clear()
    take, left = shop.store.append, [2]

    def refuse(sandbox: str, entries: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise RecordUnavailable("locked")
        take(sandbox, entries)

    real = asyncio.sleep
    monkeypatch.setattr(faulting.asyncio, "sleep", lambda _seconds: real(0))
    monkeypatch.setattr(shop.store, "append", refuse)
    await shop.observer.run_fault(shop.track, "again", by="submit")
    assert shop.phases("again")[-1] == "started"
    assert len(shop.api.deleted) == 1


# --- hints -------------------------------------------------------------------------------------------
async def test_a_hint_is_opened_when_asked_for_and_only_then_said(shop: Shop) -> None:
    await shop.begin()
    assert shop.observer.open_hint(BOX) is None  # its condition has not held long enough
    await shop.wait(3)
    said = shop.observer.open_hint(BOX)
    assert said is not None
    assert "without an owner" in said
    opened = [change for change in shop.kinds("hint") if change["phase"] == "opened"]
    assert [(change["id"], change["say"]) for change in opened] == [("no-controller", said)]
