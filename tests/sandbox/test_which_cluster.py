"""Which cluster is chosen, and what is said when none can be."""

import pytest

from sandbox.cluster.which import Embedded, Host, RecordedOnly, choose_cluster, read_host

ROOT, USER, MAC = Host("Linux", True), Host("Linux", False), Host("Darwin", True)


def test_linux_and_root_run_our_own():
    assert choose_cluster({}, ROOT) == Embedded()


@pytest.mark.parametrize(
    ("environment", "host", "reason", "remedy"),
    [
        ({}, USER, "needs root", "sudo make up"),
        ({}, MAC, "macOS", "Linux machine"),
        ({}, Host("Windows", False), "Windows", "Linux machine"),
        ({"GLASSHULL_KUBECONFIG": "/x/y"}, ROOT, "/x/y", "Unset GLASSHULL_KUBECONFIG"),
    ],
)
def test_else_only_recorded_with_reason_and_remedy(environment, host, reason, remedy):
    choice = choose_cluster(environment, host)
    assert isinstance(choice, RecordedOnly)
    assert reason in choice.reason
    assert remedy in choice.remedy


@pytest.mark.parametrize("host", [ROOT, USER, MAC])
def test_a_kubeconfig_in_the_shell_is_never_used_and_said_so(host):
    with_it = choose_cluster({"KUBECONFIG": "/home/me/.kube/production"}, host)
    assert type(with_it) is type(choose_cluster({}, host))
    assert "production" in with_it.note
    assert "not used" in with_it.note


def test_this_machine_can_be_read():
    assert read_host().system != ""
