/** What the object card says about an object, in kubectl's words. Pure. */
import { age, componentName, grouped, nodeStatus } from "./words";
import type { World } from "./world";

const mib = (bytes: number): string => `${grouped(Math.round(bytes / 2 ** 20))} Mi`;
const find = <T>(entries: [string, T][], key: string): T | undefined =>
  entries.find(([one]) => one === key)?.[1];

export function titleOf(key: string, world: World): string {
  const pod = find(world.pods, key);
  if (pod) return `Pod ${pod.name}`;
  const node = find(world.nodes, key);
  if (node) return `Node ${node.name}`;
  const workload = find(world.workloads, key);
  if (workload) return `${workload.kind} ${workload.name}`;
  const service = find(world.services, key);
  if (service) return `Service ${service.name}`;
  if (key.startsWith("component/")) return componentName(key.slice(10));
  return key.startsWith("probe/") ? "Visitors" : "No longer there";
}

export function factsOf(key: string, world: World, now: number): [name: string, value: string][] {
  const pod = find(world.pods, key);
  if (pod) {
    const owner = pod.owner ? find(world.workloads, pod.owner) : undefined;
    return [
      ["STATUS", pod.status],
      ["READY", pod.ready],
      ["RESTARTS", String(pod.restarts)],
      ["AGE", age(now - pod.created)],
      ["NODE", pod.node || "not bound yet"],
      ["IP", pod.ip || "none yet"],
      ["OWNER", owner ? `${owner.kind} ${owner.name}` : pod.owner ? "an object not shown here" : "none"],
      ["IMAGE", pod.containers.map((container) => container.image).join(", ")],
    ];
  }
  const node = find(world.nodes, key);
  if (node) {
    return [
      ["STATUS", nodeStatus(node)],
      ["PODS", String(world.pods.filter(([, one]) => one.node === node.name).length)],
      ["MEMORY", node.mem > 0 ? `${mib(node.req)} of ${mib(node.mem)} requested` : "not known"],
    ];
  }
  const workload = find(world.workloads, key);
  if (workload) {
    return [
      ["WANTED", String(workload.replicas)],
      ["THERE", String(workload.there)],
      ["READY", `${workload.ready}/${workload.replicas}`],
      ["UP-TO-DATE", String(workload.updated)],
      ["AVAILABLE", String(workload.available)],
    ];
  }
  const service = find(world.services, key);
  if (service) {
    const selector = Object.entries(service.selector).map(([name, value]) => `${name}=${value}`);
    return [
      ["PORT", String(service.port)],
      ["SELECTOR", selector.join(",") || "none"],
    ];
  }
  const probe = find(world.probes, key);
  if (probe) {
    return [
      ["SENT", grouped(probe.sent)],
      ["FAILED", grouped(probe.failed)],
      [
        "LAST",
        probe.sent === 0
          ? "none yet"
          : probe.ok
            ? `answered in ${Math.round(probe.ms)} ms`
            : probe.error || "failed",
      ],
    ];
  }
  const text = world.components.get(key.slice(10))?.text;
  return text ? [["LAST", text]] : [];
}
