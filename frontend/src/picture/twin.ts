/** The text twin: the picture as a tree of sentences. Pure. */
import {
  componentName,
  nodeSentence,
  ownerText,
  plural,
  podSentence,
  probeSentence,
  serviceSentence,
  workloadSentence,
} from "./words";
import type { PodItem, World } from "./world";

export interface Twin {
  key: string | null;
  /** Says what it is, for tests and styles. */
  kind: string;
  text: string;
  children: Twin[];
}

/** The whole picture as a tree, in the order of the drawing: it is the same state, not a summary. */
export function twinOf(world: World, now: number): Twin {
  const node = (key: string | null, kind: string, text: string, children: Twin[] = []): Twin => ({
    key,
    kind,
    text,
    children,
  });
  const bridge = [...world.components.values()].map((item) =>
    node(
      `component/${item.name}`,
      "component",
      `${componentName(item.name)}${item.text ? `: ${item.text}` : ""}.`,
    ),
  );
  const tree: Twin[] = [];
  if (bridge.length) tree.push(node(null, "bridge", "Bridge", bridge));
  const wanted = [
    ...world.workloads.map(([key, item]) => node(key, "workload", workloadSentence(item))),
    ...world.objects.map(([key, item]) => node(key, "object", `${item.kind} ${item.name}.`)),
  ];
  tree.push(node(null, "desired", wanted.length ? "Desired objects" : "Desired objects: none", wanted));
  const podTwin = ([key, pod]: [string, PodItem]): Twin =>
    node(
      key,
      "pod",
      podSentence(pod, ownerText(pod, world), now),
      pod.containers.map((c) => node(null, "container", containerSentence(c))),
    );
  for (const [key, item] of world.nodes) {
    const aboard = world.pods.filter(([, pod]) => pod.node === item.name);
    tree.push(node(key, "node", `Node ${nodeSentence(item, aboard.length)}`, aboard.map(podTwin)));
  }
  const waiting = world.pods.filter(([, pod]) => !pod.node);
  if (waiting.length)
    tree.push(
      node(null, "waiting", `Bound to no node: ${plural(waiting.length, "Pod")}`, waiting.map(podTwin)),
    );
  for (const [key, service] of world.services)
    tree.push(node(key, "service", serviceSentence(service, world)));
  for (const [key, probe] of world.probes) tree.push(node(key, "probe", probeSentence(probe)));
  const pods = plural(world.pods.length, "Pod");
  return node(
    null,
    "cluster",
    `Cluster: ${plural(world.nodes.length, "node")}, ${pods}, ${plural(world.services.length, "Service")}`,
    tree,
  );
}

function containerSentence(c: PodItem["containers"][number]): string {
  const reason = c.reason ? ` (${c.reason})` : "";
  return `Container ${c.name}, image ${c.image}: ${c.state}${reason}, ${c.ready ? "ready" : "not ready"}, ${plural(c.restarts, "restart")}.`;
}
