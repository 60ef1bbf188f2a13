"""What a student finds in the terminal: kubectl with the own key, the own namespace, and nothing of ours."""

import pytest

from sandbox.cluster.kinds import NETWORK_POLICY, POD, RESOURCE_QUOTA
from sandbox.exec_stream import run
from sandbox.plan import TOOLBOX_NAMESPACE
from sandbox.preparing import ensure_sandbox, hand_out_key
from sandbox.starting import apply_start
from tests.cluster.real import START, deployment_ready, names, pod_ready

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture
async def toolbox(keeper, runner, sandbox_plan):
    """(plan, shell): a whole sandbox and a way to run a line in its toolbox."""
    plan = sandbox_plan()
    await ensure_sandbox(keeper, plan, lambda *_: None)

    async def shell(line):
        done = await run(runner, TOOLBOX_NAMESPACE, plan.toolbox, "toolbox", ["sh", "-c", line], timeout=60)
        return done.code, (done.stdout + done.stderr).decode()

    return plan, shell


async def test_kubectl_works_as_the_student_in_the_own_namespace(toolbox, admin):
    plan, shell = toolbox
    assert await shell("kubectl get pods") == (0, f"No resources found in {plan.namespace} namespace.\n")
    assert await shell("kubectl auth whoami -o jsonpath={.status.userInfo.username}") == (
        0, f"system:serviceaccount:{plan.namespace}:student",
    )  # fmt: skip
    code, said = await shell("kubectl create deployment x --image=app/storefront:1.0 --replicas=2")
    assert (code, said) == (0, "deployment.apps/x created\n"), "no warning either"
    await deployment_ready(admin, plan.namespace, "x", 2)
    code, said = await shell("kubectl get pods -n kube-system")
    assert code == 1
    assert "forbidden" in said
    assert (await shell("kubectl get nodes"))[0] == 0


async def test_deleting_everything_harms_nothing_of_ours(toolbox, admin):
    plan, shell = toolbox
    await shell("kubectl create deployment x --image=app/storefront:1.0")
    code, said = await shell(
        "kubectl delete all --all --wait=false && kubectl delete configmaps,secrets --all"
    )
    assert code == 0, said
    assert "default-deny" in await names(admin, NETWORK_POLICY, plan.namespace)
    assert "sandbox" in await names(admin, RESOURCE_QUOTA, plan.namespace)
    assert plan.toolbox in await names(admin, POD, TOOLBOX_NAMESPACE)
    assert (await shell("kubectl get all"))[0] == 0


async def test_the_key_is_the_students_alone_and_can_be_renewed(toolbox, keeper):
    _, shell = toolbox
    assert (await shell("stat -c %a .kube/config"))[1].strip() == "600"
    before = (await shell("cat .kube/config"))[1]
    await hand_out_key(keeper, toolbox[0])
    after = (await shell("cat .kube/config"))[1]
    assert before != after
    assert (await shell("kubectl get pods"))[0] == 0


async def test_a_service_answers_by_its_short_name(toolbox, keeper, admin):
    plan, shell = toolbox
    await apply_start(keeper, plan, START)
    await pod_ready(admin, plan.namespace, "storefront")
    code, said = await shell(
        "for i in 1 2 3 4 5 6 7 8 9 10; do curl -s storefront/whoami && exit; sleep 0.5; done; exit 1"
    )
    assert code == 0, said
    assert '"app"' in said


async def test_no_token_of_the_cluster_lies_in_the_toolbox(toolbox):
    _, shell = toolbox
    assert (await shell("ls /var/run/secrets/kubernetes.io /run/secrets"))[0] != 0
    assert (await shell("env | grep -i -E 'token|secret'"))[1] == ""
