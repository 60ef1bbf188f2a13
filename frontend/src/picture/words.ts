/** Every sentence of the picture: labels, text twin, states. kubectl's words stay verbatim. Pure. */
import { isRefused } from "./states";
import type { NodeItem, PodItem, ProbeItem, ServiceItem, WorkloadItem, World } from "./world";
import { isOldRevision } from "./world";

/** Age in kubectl's short form (`duration.HumanDuration`): 9s, 2m4s, 14m, 3h20m, 5d. */
export function age(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 ? `${m}m${s % 60}s` : `${m}m`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 ? `${h}h${m % 60}m` : `${h}h`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (d < 8) return h % 24 ? `${d}d${h % 24}h` : `${d}d`;
  return `${d}d`;
}

/** The age slot of a capsule: one unit only, so that it fits. */
export function shortAge(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 100) return `${s}s`;
  if (s < 7200) return `${Math.floor(s / 60)}m`;
  if (s < 172_800) return `${Math.floor(s / 3600)}h`;
  return `${Math.floor(s / 86_400)}d`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
/** 48213 as `48 213`, with thin spaces. */
export const grouped = (n: number | string): string => String(n).replace(/\B(?=(\d{3})+$)/g, " ");

/** Image without registry path and digest: `app/storefront:1.0` is `storefront:1.0`. */
export function imageLabel(image: string): string {
  const name = image.replace(/@sha256:.*$/, "");
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Two lines when one is too long for the container's plate. */
export function imageLines(image: string): string[] {
  const label = imageLabel(image);
  if (label.length <= 11) return [label];
  const colon = label.lastIndexOf(":");
  return colon > 0
    ? [tail(label.slice(0, colon), 12), label.slice(colon + 1, colon + 13)]
    : [tail(label, 12)];
}

const tail = (text: string, n: number): string => (text.length <= n ? text : `…${text.slice(1 - n)}`);

/** What stands on a capsule: the suffix of a Pod with an owner, the whole name of one without. */
export function podLabel(pod: PodItem, ownerKind?: string): string {
  if (pod.owner === null || ownerKind === "StatefulSet") return tail(pod.name, 12);
  return tail(pod.suffix || pod.name, 12);
}

/** Bytes as a share of what the node can give, in whole percent; null when the node has not said. */
export const memoryShare = (node: NodeItem): number | null =>
  node.mem > 0 ? Math.min(100, Math.round((100 * node.req) / node.mem)) : null;

/** The share as it is printed: what is there but rounds to nothing is "<1". */
export function shareWords(node: NodeItem): string {
  const share = memoryShare(node);
  return share === 0 && node.req > 0 ? "<1" : String(share ?? "");
}

export const nodeWord = (node: NodeItem): string => (node.ready === "True" ? "Ready" : "NotReady");

/** kubectl's STATUS of a node. */
export const nodeStatus = (node: NodeItem): string =>
  nodeWord(node) + (node.cordoned ? ",SchedulingDisabled" : "");

export function serviceReady(service: ServiceItem): { ready: number; total: number } {
  const states = Object.values(service.endpoints);
  return { ready: states.filter((state) => state === "ready").length, total: states.length };
}

/** Short for the plate. */
export function serviceCount(service: ServiceItem): string {
  const { ready, total } = serviceReady(service);
  return total === 0 ? "no endpoints" : `${ready} of ${total} ready`;
}

export const pipsText = (item: WorkloadItem): string =>
  item.kind === "Deployment" ? `replicas: ${item.replicas}` : `${item.ready} ready`;

export const ownerText = (pod: PodItem, world: World): string => {
  if (pod.owner === null) return "owned by nobody";
  const owner = world.workloads.find(([key]) => key === pod.owner);
  return owner ? `owned by ${owner[1].kind} ${owner[1].name}` : "owned by an object not shown here";
};

/** "Pod web-7c9d8-h6wvd on worker-3: ContainerCreating, READY 0/1, 0 restarts, 9 s old, owned by ReplicaSet web-7c9d8." */
export function podSentence(pod: PodItem, owner: string, now: number): string {
  const where = pod.node ? `on ${pod.node}` : isRefused(pod) ? "on no node" : "not bound to a node yet";
  const facts = [
    `${pod.status}`,
    `READY ${pod.ready}`,
    plural(pod.restarts, "restart"),
    `${spokenAge(now - pod.created)} old`,
    owner,
  ];
  const why = pod.message ? ` ${pod.message.replace(/\.?$/, ".")}` : "";
  return `Pod ${pod.name} ${where}: ${facts.join(", ")}.${why}`;
}

export function spokenAge(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** "worker-3, Ready, memory 57 % requested, 2 Pods." */
export function nodeSentence(node: NodeItem, pods: number): string {
  const share = memoryShare(node);
  const memory = share === null ? "" : ` memory ${shareWords(node)} % requested,`;
  return `${node.name}, ${nodeStatus(node)},${memory} ${plural(pods, "Pod")}.`;
}

/** "Service web, port 80, sends to 2 of 3 Pods: x2k9p, m8zq5. Not to h6wvd: not ready." */
export function serviceSentence(service: ServiceItem, world: World): string {
  const name = (uid: string): string => {
    const pod = world.pods.find(([key]) => key === `pod/${uid}`);
    return pod ? podLabel(pod[1]) : "a Pod that is gone";
  };
  const uids = Object.keys(service.endpoints);
  const ready = uids.filter((uid) => service.endpoints[uid] === "ready");
  const others = uids.filter((uid) => service.endpoints[uid] !== "ready");
  const head = `Service ${service.name}, port ${service.port},`;
  if (uids.length === 0) return `${head} sends to no Pod: nothing matches its selector.`;
  const to = ready.length ? `: ${ready.map(name).join(", ")}` : "";
  const why = { "not-ready": "not ready", terminating: "terminating", ready: "" };
  const not = others
    .map((uid) => ` Not to ${name(uid)}: ${why[service.endpoints[uid] ?? "not-ready"]}.`)
    .join("");
  return `${head} sends to ${ready.length} of ${plural(uids.length, "Pod")}${to}.${not}`;
}

export function workloadSentence(item: WorkloadItem): string {
  const old = isOldRevision(item) ? " An old revision." : "";
  return `${item.kind} ${item.name}: wants ${item.replicas}, ${item.there} there, ${item.ready} ready.${old}`;
}

export function probeSentence(probe: ProbeItem): string {
  if (probe.sent === 0) return "Visitors: no request sent yet.";
  const last = probe.ok
    ? `was answered in ${Math.round(probe.ms)} ms`
    : `failed${probe.error ? `: ${probe.error}` : ""}`;
  return `Visitors: ${plural(probe.sent, "request")} sent, ${probe.failed} failed; the last ${last}.`;
}

const COMPONENT_NAMES: Record<string, string> = {
  "api-server": "API server",
  scheduler: "Scheduler",
  "controller-manager": "Controller manager",
  etcd: "etcd",
};
export const componentName = (name: string): string => COMPONENT_NAMES[name] ?? name;

/** Exact wording of the picture's states (visual design, section 13). */
export const STATE_TEXT = {
  empty: "Nothing is deployed yet. Run the first command in the lesson and it appears here.",
  waking: "Waking your namespace. Usually 6 s.",
  stillWaking: (place: number): string => `Still waking.${place > 0 ? ` Place ${place} in the queue.` : ""}`,
  stale: (seconds: number, tries: number): string =>
    `Last news ${Math.round(seconds)} s ago. Reconnecting${tries > 0 ? `, try ${tries}` : ""}. Your apps are still running.`,
  error: "The picture lost its feed. The terminal still works.",
  reload: "Reload the picture",
} as const;

/** One line of fact for a room: long Pod names become their suffix, the rest is cut at a word. */
export function fitFact(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const short = text.replace(/\b[a-z0-9.-]+-([a-z0-9]{5})\b/g, "$1");
  if (short.length <= letters) return short;
  const [, object = "", more] = short.split(" ");
  if (object && more === undefined && object.length <= letters) return object;
  const cut = short.slice(0, letters - 1);
  const word = cut.lastIndexOf(" ");
  return `${word > letters / 2 ? cut.slice(0, word) : cut}…`;
}
