"""The plan is pure: two instances share nothing, and a machine is divided without a remainder."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.embedded.plan import MOST_INSTANCES, MOST_NODES, ClusterPlan, shares_of

ALL = [ClusterPlan(instance, MOST_NODES) for instance in range(1, MOST_INSTANCES + 1)]


def test_instance_1_uses_the_ranges_of_microk8s():
    plan = ClusterPlan()
    assert [worker.name for worker in plan.workers] == ["worker-1", "worker-2", "worker-3"]
    assert [str(worker.address) for worker in plan.workers] == ["10.2.0.11", "10.2.0.12", "10.2.0.13"]
    assert [str(worker.pods) for worker in plan.workers] == ["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24"]
    assert [worker.netns for worker in plan.workers] == ["gh-1-node-1", "gh-1-node-2", "gh-1-node-3"]
    assert (str(plan.root), str(plan.pods), str(plan.services)) == (
        "10.2.0.1",
        "10.1.0.0/16",
        "10.152.183.0/24",
    )
    assert (str(plan.dns_service), str(plan.api_service)) == ("10.152.183.10", "10.152.183.1")
    assert plan.api_url == "https://10.2.0.1:16443"


def test_no_two_instances_share_a_range():
    ranges = [(plan.instance, net) for plan in ALL for net in (plan.machines, plan.pods, plan.services)]
    for (_, one), (_, other) in combinations(ranges, 2):
        assert not one.overlaps(other)


def test_no_two_instances_share_a_listener_or_a_name():
    listeners = [listener for plan in ALL for listener in plan.listeners]
    assert len(listeners) == len(set(listeners))
    names = [
        name
        for plan in ALL
        for worker in plan.workers
        for name in (worker.netns, worker.link, worker.cgroup, str(worker.address), str(worker.pods))
    ]
    # A link and a cgroup may be spelled alike: they live in different places.
    assert len(names) - len(set(names)) == len(ALL) * MOST_NODES
    assert len({plan.nft_table for plan in ALL}) == len({plan.name for plan in ALL}) == len(ALL)


def test_the_filter_of_one_instance_never_matches_links_of_another():
    for one, other in combinations(ALL, 2):
        assert not any(worker.link.startswith(one.link_prefix) for worker in other.workers)
        assert not any(worker.link.startswith(other.link_prefix) for worker in one.workers)


def test_names_fit_the_kernel():
    for plan in ALL:
        assert all(len(worker.link) <= 15 for worker in plan.workers)


def test_ports_stay_below_the_ephemeral_ones():
    assert all(port < 32768 for plan in ALL for _, _, port in plan.listeners)


def test_nodes_lie_inside_their_clusters_ranges():
    for plan in ALL:
        for worker in plan.workers:
            assert worker.address in plan.machines
            assert worker.pods.subnet_of(plan.pods)


@pytest.mark.parametrize(("instance", "nodes"), [(0, 3), (17, 3), (1, 0), (1, 10)])
def test_a_plan_that_cannot_be_is_refused(instance, nodes):
    with pytest.raises(ValueError, match="1 to"):
        ClusterPlan(instance, nodes)


@given(st.integers(1, 256), st.integers(2**30, 2**42), st.integers(1, MOST_NODES))
def test_shares_add_up_to_the_machine(cpus, memory, nodes):
    shares = shares_of(cpus, memory, nodes)
    assert len(shares) == nodes
    assert sum(share.cpu_millis for share in shares) == 1000 * cpus
    assert sum(share.memory_bytes for share in shares) == memory
    assert max(share.cpu_millis for share in shares) - min(share.cpu_millis for share in shares) <= 1
