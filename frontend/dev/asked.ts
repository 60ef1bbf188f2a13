/** Predictions and questions of every kind, a menu and loads for the dev page; made up, no student sees them. */
import type { LoadData, MenuEntry, QuestionData } from "../src/lib/page";
import type { Item, Items } from "../src/lib/protocol";

const HOPS: [string, string][] = [
  ["kubelet", "The kubelet on that node sees its new Pod"],
  ["request", "Your request reaches the API server"],
  ["scheduler", "The scheduler names a node"],
  ["object", "The object is written to etcd"],
  ["controller", "A controller makes a Pod"],
];

export const PREDICTIONS: QuestionData[] = [
  { id: "node", ask: "Which node gets the replacement?", answer: "node", choices: [], before: "kill" },
  {
    id: "ready-in",
    ask: "How long until the new Pod is Ready?",
    answer: "duration",
    choices: [],
    unit: "s",
    before: "kill",
  },
  {
    id: "lost",
    ask: "How many requests are lost?",
    answer: "number",
    choices: [],
    unit: "requests",
    before: "kill",
  },
  {
    id: "what-restarts",
    ask: "Which Pods are replaced when `storefront` 1.1 ships?",
    answer: "set",
    choices: [
      ["stock", "stock"],
      ["storefront", "storefront"],
      ["monolith", "monolith"],
      ["orders", "orders"],
    ],
    before: "rollout",
  },
  {
    id: "what-stops",
    ask: "The stock part hangs. What stops on each side?",
    answer: "match",
    given: [
      ["mono", "Monolith"],
      ["micro", "Microservices"],
    ],
    choices: [
      ["stock", "Stock numbers"],
      ["nothing", "Nothing"],
      ["everything", "Everything"],
    ],
    before: "stock-down",
  },
  { id: "hops", ask: "What happens first, what last?", answer: "order", choices: HOPS, before: null },
  {
    id: "shares",
    ask: "How do the requests spread over the copies?",
    answer: "curve",
    choices: [],
    points: 4,
    labels: ["x2k9p", "4tq7m", "m8zq5", "h6wvd"],
    unit: "%",
    before: null,
  },
];
export const QUESTIONS: QuestionData[] = [
  {
    id: "who-acted",
    ask: "Which object made the new Pod?",
    answer: "object",
    choices: [],
    before: null,
  },
  {
    id: "history",
    ask: "Which of these came first?",
    answer: "choice",
    choices: [
      ["kubernetes", "Kubernetes"],
      ["borg", "Borg"],
      ["omega", "Omega"],
    ],
    before: null,
  },
];
export const LOADS: LoadData[] = [
  {
    id: "rush",
    rate: 12,
    for: 60,
    script: "browse",
    target: "storefront:80",
    by: "student",
    rates: [4, 12, 24],
  },
];

const SHARED = "The nodes are shared with other students.";
const OWN = "This needs a cluster of your own.";
export const MENU: MenuEntry[] = [
  entry("kill-pod", null, "Kill the Pod", "kubectl delete pod POD", "its owner makes a new one", "pod"),
  entry(
    "kill-container",
    "oom",
    "Kill the container: OOM",
    "grows past its limit; the kernel kills it",
    "restarts in its Pod",
    "pod",
  ),
  entry(
    "kill-container",
    "sigkill",
    "Kill the container: SIGKILL",
    "sent to its process from the node",
    "restarts in its Pod",
    "pod",
  ),
  entry(
    "fail-readiness",
    null,
    "Fail readiness",
    "the app answers 503 on /readyz",
    "30 s, switches back",
    "pod",
  ),
  entry("slow-app", "delay", "Slow the app: delay", "each answer waits 800 ms", "30 s, switches back", "pod"),
  entry("slow-app", "hang", "Slow the app: hang", "no answer at all", "30 s, switches back", "pod"),
  entry("slow-app", "spin", "Slow the app: spin", "the app burns its CPU", "30 s, switches back", "pod"),
  entry(
    "cut-traffic",
    null,
    "Cut traffic to this Pod",
    "a NetworkPolicy refuses it",
    "30 s, policy removed",
    "traffic",
    "NetworkPolicies are not enforced in this cluster yet.",
  ),
  entry(
    "break-dns",
    null,
    "Break DNS",
    "the names of your Services stop resolving",
    "30 s, restored",
    "traffic",
  ),
  entry("cordon-node", null, "Cordon", "kubectl cordon NODE", "uncordoned", "node", SHARED),
  entry("drain-node", null, "Drain", "kubectl drain NODE", "uncordoned", "node", SHARED),
  entry("stop-node", null, "Stop the kubelet", "systemctl stop kubelet", "started again", "node", SHARED),
  entry(
    "kill-component",
    null,
    "Stop a component",
    "API server, scheduler, controllers, etcd",
    "started again",
    "control-plane",
    OWN,
  ),
  entry(
    "corrupt-config",
    null,
    "Corrupt a value",
    "kubectl patch deployment storefront",
    "old value restored",
    "config",
  ),
  entry(
    "move-tag",
    null,
    "Move an image tag",
    "the tag points at another digest",
    "moved back",
    "config",
    "There is no registry of your own yet.",
  ),
];

function entry(
  kind: string,
  how: string | null,
  name: string,
  mechanism: string,
  ends: string,
  group: MenuEntry["group"],
  refused: string | null = null,
): MenuEntry {
  return { kind, how, name, mechanism, ends, group, refused };
}

const OUTCOMES: Record<string, [said: unknown, observed: unknown[] | null, right: boolean | null]> = {
  "prediction/node": ["worker-2", ["worker-3"], false],
  "prediction/ready-in": [10, [13.6], false],
  "prediction/lost": [0, [2], false],
  "prediction/what-restarts": [["storefront"], [["storefront", "monolith"]], false],
  "prediction/what-stops": [
    { mono: "everything", micro: "everything" },
    [{ mono: "everything", micro: "stock" }],
    false,
  ],
  "prediction/hops": [
    ["request", "object", "scheduler", "controller", "kubelet"],
    [["request", "object", "controller", "scheduler", "kubelet"]],
    false,
  ],
  "prediction/shares": [[25, 25, 25, 25], [[48, 0, 52, 0]], false],
  "answer/who-acted": ["ReplicaSet/storefront-7c9d8f6b5d", ["ReplicaSet/storefront-7c9d8f6b5d"], true],
  "answer/history": ["kubernetes", ["borg"], false],
};
const WHY: Record<string, string> = {
  "prediction/what-stops": "The storefront waits for `stock` without a limit, so it stops with it.",
  "answer/history": "Kubernetes took over what Borg had shown inside of one company.",
};

/** The item of an answer once it is locked, with what a run gave. */
export function outcomeOf(key: string, said: unknown, at: number): Item {
  const [, observed = null, right = null] = OUTCOMES[key] ?? [];
  const t = key.startsWith("answer/") ? "answer" : "prediction";
  return {
    t,
    value: said,
    at,
    observed,
    right,
    why: WHY[key] ?? "",
    pairs: key.endsWith("what-stops") ? [1, 2] : null,
  } as Item;
}

/** All answers locked, 25 s ago, and a load that runs. */
export function lockedItems(at: number): Items {
  const items: Items = {};
  for (const [key, [said]] of Object.entries(OUTCOMES)) items[key] = outcomeOf(key, said, at - 25);
  items["load/rush"] = {
    t: "load",
    phase: "running",
    at: at - 19,
    until: at + 41,
    rate: 12,
    sent: 228,
    failed: 2,
    p95: 14,
    lost: 0,
    distinct: 3,
    last: { sent: 12, failed: 0, p95: 12 },
  };
  return items;
}
