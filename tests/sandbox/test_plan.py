"""The numbers of a sandbox."""

import pytest

from sandbox.plan import plan_for, plan_for_exercise
from sandbox.record.exercise import Exercise

MI = 2**20


def test_lesson_fourteen():
    plan = plan_for("a", pods=5, memory=120 * MI, cpu=0.4, capabilities=("nodes.read",))
    assert (plan.quota_pods, plan.pod_memory, plan.quota_memory) == (9, 24 * MI, 9 * 24 * MI)
    assert (plan.pod_millicores, plan.quota_millicores, plan.default_millicores) == (80, 720, 8)
    assert plan.reads_nodes
    assert plan.namespace == f"gh-{plan.key}"
    assert plan.toolbox == f"toolbox-{plan.key}"


@pytest.mark.parametrize(("pods", "quota"), [(1, 3), (2, 4), (3, 6), (4, 7), (5, 9), (6, 10)])
def test_quota_is_half_as_much_again_plus_one(pods, quota):
    assert plan_for("a", pods=pods, memory=64 * MI, cpu=0.1).quota_pods == quota


def test_as_many_default_pods_fit_as_the_quota_allows():
    for pods in range(1, 12):
        plan = plan_for("a", pods=pods, memory=100 * MI + 7, cpu=0.37)
        assert plan.pod_memory * plan.quota_pods <= plan.quota_memory
        assert plan.pod_millicores * plan.quota_pods <= plan.quota_millicores


def test_a_class_of_twenty_fits_two_cores_at_rest():
    """Five Pods each: with whole shares four sandboxes filled the machine."""
    plan = plan_for("a", pods=5, memory=120 * MI, cpu=0.4)
    toolbox = 10
    assert 20 * (plan.pods * plan.default_millicores + toolbox) <= 2000


def test_from_an_exercise():
    exercise = Exercise(id="x", title="X", task="x", time=60.0, checks=(), pods=3, memory=90 * MI, cpu=0.3)
    plan = plan_for_exercise("a", exercise)
    assert (plan.pods, plan.memory, plan.cpu, plan.capabilities) == (3, 90 * MI, 0.3, ())


@pytest.mark.parametrize(("pods", "memory", "cpu"), [(0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.0)])
def test_no_budget_no_plan(pods, memory, cpu):
    with pytest.raises(ValueError, match="budget"):
        plan_for("a", pods=pods, memory=memory, cpu=cpu)
