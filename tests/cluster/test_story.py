"""The first lesson as a student lives it, through the product's own pages and sockets, on the real cluster."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bench.product import Product
from bench.visitor import Refused, Visitor, visitor

pytestmark = pytest.mark.cluster


async def opened(one: Visitor) -> dict[str, Any]:
    data = await one.page_data()
    await one.start()
    await one.until(lambda _: one.phase == "open", 90, "the lesson's own ready")
    return data


def shop(data: dict[str, Any], *, probe: bool = True) -> str:
    """The student's file, mended as the lesson asks."""
    text = data["exercise"]["files"]["shop.yaml"].replace(
        "replicas: 1", f"replicas: {data['params']['replicas']}"
    )
    line = "          readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}\n"
    marker = "          # the readinessProbe"
    assert marker in text
    return text.replace(marker, line + marker) if probe else text


async def namespace_of(one: Visitor, product: Product) -> str:
    uid = one.of("service")[0]["key"].partition("/")[2]
    found = product.kubectl(
        "get", "services", "-A", "-o", f"jsonpath={{.items[?(@.metadata.uid=='{uid}')].metadata.namespace}}"
    )
    return found.strip()


async def pictured_and_real(one: Visitor, product: Product) -> tuple[set[str], set[str]]:
    """Pods on the picture, and Pods that kubectl sees behind the product's back: name, node and READY."""
    namespace = await namespace_of(one, product)
    lines = product.kubectl("get", "pods", "-n", namespace, "-o", "wide", "--no-headers").splitlines()
    real = {" ".join((words[0], words[1])) for words in (line.split() for line in lines)}
    drawn = {f"{pod['name']} {pod['ready']}" for pod in one.of("pod")}
    return drawn, real


async def test_a_student_deploys_breaks_and_is_marked(product: Product) -> None:
    async with visitor(product.signin("student", name="Ada")) as ada:
        data = await opened(ada)
        first = ada.of("pod")[0]
        assert (first["name"], first["ready"]) == ("storefront", "1/1")

        # Deleting the bare Pod is only an action: nothing comes back and no window opens.
        await ada.act("delete-pod", pod=first["key"][4:])
        await ada.until(lambda items: first["key"] not in items, 20, "the bare Pod to go")
        assert ada.items["fault/kill"]["phase"] == "armed"

        await ada.act("apply", file="shop.yaml", text=shop(data))
        await ada.until(lambda _: ada.check("enough") == "pass", 90, "the wanted number")
        drawn, real = await pictured_and_real(ada, product)
        assert drawn == real

        with pytest.raises(Refused, match="predict-first"):
            await ada.act("fault", id="kill")
        await ada.act("predict", id="who-returns", value="new")
        with pytest.raises(Refused):
            await ada.act("predict", id="who-returns", value="same")
        await ada.act("fault", id="kill")
        await ada.until(lambda items: items["attempt/now"]["state"] == "marked", 200, "the mark")
        assert {check["key"]: check["state"] for check in ada.of("check")} == {
            check["key"]: "pass" for check in ada.of("check")
        }
        assert (ada.items["attempt/now"]["points"], ada.items["attempt/now"]["of"]) == (14, 14)
        assert all(isinstance(check["seq"], int) for check in ada.of("check"))

        # Reset in place brings the start back, and the next attempt begins at nothing.
        began = time.monotonic()
        await ada.act("restart")
        assert time.monotonic() - began < 3
        await ada.until(lambda _: ada.phase == "open", 60, "the start state again")
        assert ada.items["attempt/now"]["n"] == 2
        assert {pod["name"] for pod in ada.of("pod")} == {"storefront"}
        await ada.act("end")


async def test_kubectl_is_the_same_fault_and_shows_nothing_of_ours(product: Product) -> None:
    async with visitor(product.signin("student", name="Grace")) as grace:
        data = await opened(grace)
        namespace = await namespace_of(grace, product)
        toolbox = toolbox_of(product, namespace)

        def in_terminal(*command: str) -> str:
            return product.kubectl("exec", "-n", "glasshull-toolboxes", toolbox, "--", *command, check=False)

        assert in_terminal("kubectl", "get", "all", "-o", "name").split() == [
            "pod/storefront",
            "service/storefront",
        ]
        created = in_terminal("kubectl", "create", "deployment", "x", "--image=app/storefront:1.0")
        assert "created" in created
        await grace.until(
            lambda _: any(pod["name"].startswith("x-") and pod["ok"] for pod in grace.of("pod")),
            60,
            "x to be ready",
        )
        in_terminal("kubectl", "delete", "deployment", "x")
        in_terminal("kubectl", "delete", "pod", "storefront", "--grace-period=1")
        await grace.act("apply", file="shop.yaml", text=shop(data))
        await grace.until(lambda _: grace.check("enough") == "pass", 90, "the wanted number")
        await grace.act("predict", id="who-returns", value="same")
        target = next(pod for pod in grace.of("pod") if pod["ok"])
        in_terminal("kubectl", "delete", "pod", target["name"], "--wait=false")
        await grace.until(
            lambda items: items["fault/kill"]["phase"] in ("started", "ended"), 15, "the window to open"
        )
        await grace.until(lambda _: grace.check("back") == "pass", 90, "full strength again")
        await grace.act("end")


def toolbox_of(product: Product, namespace: str) -> str:
    key = product.kubectl(
        "get", "namespace", namespace, "-o", "jsonpath={.metadata.labels.glasshull\\.dev/sandbox}"
    )
    found = product.kubectl(
        "get",
        "pods",
        "-n",
        "glasshull-toolboxes",
        "-l",
        f"glasshull.dev/sandbox={key}",
        "-o",
        "jsonpath={.items[*].metadata.name}",
    )
    return found.strip()


async def test_another_student_sees_and_does_nothing_of_the_first(product: Product) -> None:
    async with (
        visitor(product.signin("student", name="Ada")) as ada,
        visitor(product.signin("student", name="Eve")) as eve,
    ):
        await opened(ada)
        await eve.page_data()
        for path in ("history",):
            with pytest.raises(Refused) as refused:
                await eve.get(f"/api/sandboxes/{ada.sandbox}/{path}")
            assert refused.value.status in (403, 404)
        for action in ("delete-pod", "reset", "submit", "end", "apply"):
            with pytest.raises(Refused) as refused:
                await eve.post(f"/api/sandboxes/{ada.sandbox}/{action}", {})
            assert refused.value.status in (403, 404)
        assert ada.phase == "open"
        await ada.act("end")


PRIVILEGED = "{name: a, image: app/storefront:1.0, securityContext: {privileged: true}}"
CASES = {
    "broken": ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: [", "yaml"),
    "foreign namespace": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: kube-system}",
        "kube-system",
    ),
    "alias": ("a: &a [1]\nb: *a", "anchor"),
    "privileged": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [" + PRIVILEGED + "]}",
        "privileged",
    ),
    "foreign image": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: nginx}]}",
        "image",
    ),
    "forbidden kind": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\nrules: []",
        "role",
    ),
    "1000 documents": (
        "---\n".join("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" for _ in range(1000)),
        "document",
    ),
    "5 MB": ("#" * 5_000_000, "256"),
}


async def test_bad_yaml_is_refused_in_plain_words_and_nothing_sticks(product: Product) -> None:
    async with visitor(product.signin("student", name="Mallory")) as one:
        await opened(one)
        before = {key for key, item in one.items.items() if item["t"] in ("pod", "workload", "object")}
        said = {}
        for name, (text, word) in CASES.items():
            with pytest.raises(Refused) as refused:
                await one.act("apply", file="shop.yaml", text=text)
            said[name] = refused.value.body["error"]["text"]
            assert word in said[name].lower(), (name, refused.value.body)
        assert {
            key for key, item in one.items.items() if item["t"] in ("pod", "workload", "object")
        } == before
        await one.act("end")
