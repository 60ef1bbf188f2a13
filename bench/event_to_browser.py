"""S1: a change in the cluster until a real browser's socket has it, against `kubectl get -w` on the same change."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

from playwright.async_api import async_playwright

from sandbox.cluster.client import MERGE_PATCH, ClusterClient

from .product import Product
from .statistics_of import ratio
from .visitor import LESSON, Visitor

# In the page: a second socket beside the page's own, noting when each resource version arrived.
LISTEN = """
(path) => new Promise((resolve) => {
  window.seen = {};
  const socket = new WebSocket(`ws://${location.host}${path}`);
  socket.onopen = () => socket.send(JSON.stringify({f: 'resume', epoch: 0, seq: 0}));
  socket.onmessage = (event) => {
    const now = performance.timeOrigin + performance.now();
    const frame = JSON.parse(event.data);
    if (frame.f === 'snapshot') resolve(true);
    if (frame.f !== 'delta') return;
    for (const fields of Object.values(frame.set)) if (fields.rv) window.seen[fields.rv] ??= now;
  };
})
"""


class Kubectl:
    """`kubectl get pod NAME -w`, noting when the line of each resource version came."""

    def __init__(self, product: Product, namespace: str, pod: str) -> None:
        self.arguments = [
            str(product.kubectl_path), f"--kubeconfig={product.kubeconfig}", "-n", namespace, "get", "pod", pod, "-w",
            "--no-headers", "-o", "custom-columns=RV:.metadata.resourceVersion",
        ]  # fmt: skip
        self.seen: dict[str, float] = {}

    async def __aenter__(self) -> Kubectl:
        self.process = await asyncio.create_subprocess_exec(*self.arguments, stdout=asyncio.subprocess.PIPE)
        self.task = asyncio.ensure_future(self.read())
        return self

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.seen.setdefault(line.decode().strip(), time.time() * 1000)

    async def __aexit__(self, *failure: object) -> None:
        self.process.terminate()
        await self.process.wait()
        await self.task


def namespace_of(product: Product, guest: Visitor) -> str:
    """Of the guest's sandbox, by a ready Pod in its picture."""
    pod = next(item for item in guest.of("pod") if item["ok"])
    place = f"jsonpath={{.items[?(@.metadata.uid=='{pod['key'][4:]}')].metadata.namespace}}"
    return product.kubectl("get", "pods", "-A", "-o", place).strip()


async def measure(product: Product, guest: Visitor, n: int = 1000, per_second: float = 20) -> dict[str, Any]:
    """Milliseconds from sending the PATCH, n of them, one viewer in a real Chromium."""
    pod = next(item for item in guest.of("pod") if item["ok"])
    namespace = namespace_of(product, guest)
    admin = ClusterClient.from_kubeconfig(product.kubeconfig, user_agent="glasshull-bench")
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['name']}"
    cookies = [{"name": c.key, "value": c.value, "url": product.base} for c in guest.session.cookie_jar]
    sent: dict[str, float] = {}
    async with async_playwright() as playwright, Kubectl(product, namespace, pod["name"]) as kubectl:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = await browser.new_context()
        await context.add_cookies(cookies)
        page = await context.new_page()
        await page.goto(f"{product.base}/learn/{LESSON[0]}/")
        await page.evaluate(LISTEN, f"/ws/sandbox/{guest.sandbox}/")
        await asyncio.sleep(1.5)
        for number in range(n):
            before = time.time() * 1000
            body = {"metadata": {"annotations": {"glasshull.dev/bench": str(number)}}}
            answer = await admin.request("PATCH", path, body=body, content_type=MERGE_PATCH)
            sent[answer["metadata"]["resourceVersion"]] = before
            await asyncio.sleep(max(0.0, 1 / per_second - (time.time() * 1000 - before) / 1000))
        await asyncio.sleep(1.0)
        seen: dict[str, float] = json.loads(await page.evaluate("JSON.stringify(window.seen)"))
        await browser.close()
    await admin.close()
    both = [version for version in sent if version in seen and version in kubectl.seen]
    ours = [seen[version] - sent[version] for version in both]
    theirs = [kubectl.seen[version] - sent[version] for version in both]
    return {**ratio(ours, theirs), "unit": "ms", "sent": n, "load": os.getloadavg()[0]}
