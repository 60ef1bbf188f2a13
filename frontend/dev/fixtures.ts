/** Made-up frames for the dev page; no student ever sees them. */
import type { PageData } from "../src/lib/page";
import type { History, Item, Items } from "../src/lib/protocol";
import { LOADS, lockedItems, MENU, PREDICTIONS, QUESTIONS } from "./asked";

const CHECKS: [string, string, number][] = [
  ["managed", "A controller owns every Pod", 1],
  ["enough", "The wanted number is ready", 1],
  ["never-empty", "At least two addresses all the time", 3],
  ["back", "Full strength again", 2],
  ["served", "Customers hardly noticed", 2],
  ["tested", "It survives our test too", 2],
  ["hands-off", "The cluster did it", 1],
  ["foresaw", "You foresaw it", 2],
];

export function pageOf(state: string): PageData {
  const without = state === "empty" || state === "building" || state === "failed";
  return {
    course: { slug: "how-clusters-work", title: "How clusters work", href: "#" },
    lesson: { slug: "14-self-healing", title: "A shop that repairs itself", minutes: 15, hash: "x", n: 14 },
    steps: [
      { id: "alone", title: "One Pod, nobody watching", gate: "none", needs: [], minutes: 3 },
      { id: "wish", title: "Say what you want, not what to do", gate: "soft", needs: ["enough"], minutes: 5 },
      { id: "break", title: "Predict, then break it", gate: "hard", needs: ["who-returns"], minutes: 4 },
      { id: "why", title: "What happened?", gate: "none", needs: [], minutes: 3 },
      { id: "asked", title: "Everything that can be asked", gate: "none", needs: [], minutes: 3 },
    ],
    exercise: {
      id: "shop",
      title: "Survive the loss of a Pod",
      task: "Keep the shop reachable under the name `storefront` while any one Pod is lost. Run 3 copies.",
      time: 1800,
      checks: CHECKS.map(([id, say, points]) => ({ id, say, points })),
      predictions: [
        {
          id: "who-returns",
          ask: "One Pod will be deleted. What does the list of Pods show afterwards?",
          answer: "choice",
          choices: [
            ["same", "The same Pod again"],
            ["new", "A new Pod in its place"],
            ["none", "One Pod fewer for good"],
          ],
          before: "kill",
        },
        ...PREDICTIONS,
      ],
      questions: QUESTIONS,
      loads: LOADS,
      menu: MENU,
      faults: [
        { id: "kill", kind: "kill-pod", by: "student", target: "pod:app=storefront", needs: ["enough"] },
      ],
      files: {
        "shop.yaml":
          'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: storefront, labels: {app: storefront}}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: storefront}}\n  template:\n    metadata: {labels: {app: storefront}}\n    spec:\n      containers:\n        - name: app\n          image: app/storefront:1.0\n          env: [{name: START_DELAY, value: 8s}]\n          ports: [{containerPort: 8080}]\n          # the readinessProbe goes here, in line with "ports"\n',
      },
    },
    params: { replicas: 3 },
    me: { name: "Amina", role: "student", initials: "AM" },
    sandbox: without
      ? null
      : { id: "s1", phase: "open", readOnly: state === "readonly", namespace: "gh-7f3a9c" },
    recording: state === "building" ? "/api/recordings/how-clusters-work/14-self-healing/" : null,
    cluster:
      state === "building"
        ? {
            state: "building",
            text: "Compiling kube-apiserver",
            done: 412,
            total: 1190,
            seconds_left: 371,
            reason: null,
            remedy: null,
          }
        : {
            state: state === "failed" ? "failed" : "ready",
            text: "",
            done: 0,
            total: 0,
            seconds_left: null,
            reason: state === "failed" ? "Port 16443 is taken by another process." : null,
            remedy: state === "failed" ? "Stop it, then run make up again." : null,
          },
    urls: {
      start: "/api/sandboxes/",
      api: "/api/sandboxes/",
      socket: "/ws/sandbox/",
      terminal: "/ws/terminal/",
      clusterSocket: "/ws/cluster/",
      next: null,
      home: "#",
    },
    csrf: "dev",
  };
}

function pod(
  at: number,
  suffix: string,
  node: string,
  status: string,
  ok: boolean,
  age: number,
  deleting = false,
): Item {
  return {
    t: "pod",
    name: `storefront-7c9d8f6b5d-${suffix}`,
    suffix,
    node,
    status,
    ready: ok ? "1/1" : "0/1",
    ok,
    restarts: 0,
    created: at - age,
    deleting: deleting ? at - 10 : null,
    owner: "workload/rs",
    app: "storefront",
    containers: [
      {
        name: "app",
        image: "app/storefront:1.0",
        state: ok ? "running" : "waiting",
        reason: ok ? "" : status,
        ready: ok,
        restarts: 0,
      },
    ],
    message: "",
    ip: "10.44.1.7",
    rv: "48213",
  };
}

export function itemsOf(state: string, at: number): Items {
  const marked = state === "marked";
  const items: Items = {
    "node/worker-1": {
      t: "node",
      name: "worker-1",
      ready: "True",
      cordoned: false,
      mem: 2 ** 30,
      req: 0.41 * 2 ** 30,
    },
    "node/worker-2": {
      t: "node",
      name: "worker-2",
      ready: "True",
      cordoned: false,
      mem: 2 ** 30,
      req: 0.28 * 2 ** 30,
    },
    "node/worker-3": {
      t: "node",
      name: "worker-3",
      ready: "True",
      cordoned: false,
      mem: 2 ** 30,
      req: 0.57 * 2 ** 30,
    },
    "workload/d": {
      t: "workload",
      kind: "Deployment",
      name: "storefront",
      replicas: 3,
      there: 3,
      ready: 2,
      updated: 3,
      available: 2,
      owner: null,
      rv: "48200",
    },
    "workload/rs": {
      t: "workload",
      kind: "ReplicaSet",
      name: "storefront-7c9d8f6b5d",
      replicas: 3,
      there: 3,
      ready: 2,
      updated: 3,
      available: 2,
      owner: "workload/d",
      rv: "48201",
    },
    "pod/1": pod(at, "x2k9p", "worker-1", "Running", true, 124),
    "pod/2": pod(at, "4tq7m", "worker-2", "Terminating", false, 134, true),
    "pod/3": pod(at, "m8zq5", "worker-3", "Running", true, 123),
    "pod/4": pod(at, "h6wvd", "worker-3", "ContainerCreating", false, 9),
    "service/s": {
      t: "service",
      name: "storefront",
      port: 80,
      selector: { app: "storefront" },
      endpoints: { "1": "ready", "3": "ready", "4": "not-ready", "2": "terminating" },
    },
    "component/api-server": { t: "component", name: "api-server", text: "pods/h6wvd patched", at },
    "component/scheduler": { t: "component", name: "scheduler", text: "bound h6wvd", at: at - 9 },
    "component/controller-manager": {
      t: "component",
      name: "controller-manager",
      text: "wanted 3, ready 2",
      at: at - 9,
    },
    "component/etcd": { t: "component", name: "etcd", text: "rev 48 213", at },
    "probe/front": { t: "probe", ok: true, status: 200, ms: 4, error: "", sent: 1600, failed: 2 },
    "sandbox/self": {
      t: "sandbox",
      phase: "open",
      phases: [
        { name: "Namespace and guard rails", ms: 220 },
        { name: "Toolbox", ms: 1900 },
        { name: "Start state", ms: 140 },
      ],
      expires: at + 2460,
      place: 0,
      text: "",
    },
    "fault/kill": { t: "fault", phase: "started", target: "pod/2", at: at - 11, needs: [], lost: 2 },
    "prediction/who-returns": {
      t: "prediction",
      value: "same",
      at: at - 25,
      observed: ["new"],
      right: false,
    },
    "attempt/now": {
      t: "attempt",
      n: 1,
      state: "running",
      started: at - 300,
      until: at + 1500,
      points: 5,
      of: 14,
      text: "",
    },
    "hint/now": { t: "hint", offered: true, id: "", say: "", n: 0, most: 3 },
  };
  const states = ["pass", "pass", "holding", "waiting", "holding", "your-turn", "holding", "fail"] as const;
  const lines = [
    "3 Pods, each owned by ReplicaSet storefront-7c9d8f6b5d",
    "3 of 3 ready 40 s after Apply",
    "lowest so far: 2",
    "11 s gone, 2 of 3 ready",
    "2 requests lost, 2 allowed",
    "",
    "no write of yours since the fault",
    "you said: the same Pod again; observed: a new Pod",
  ];
  CHECKS.forEach(([id, say, of], i) => {
    const state_ = marked ? (i === 7 ? "fail" : "pass") : (states[i] as "pass");
    items[`check/${id}`] = {
      t: "check",
      say,
      state: state_,
      points: state_ === "pass" ? of : 0,
      of,
      line: lines[i] ?? "",
      seq: state_ === "pass" || state_ === "fail" ? 40 + i : null,
      at: at - 20,
    };
  });
  const mark = (seq: number, kind: string, ago: number, text: string, of: string | null = null) => {
    items[`marker/${seq}`] = { t: "marker", kind: kind as "event", at: at - ago, seq, text, of };
  };
  mark(1, "reset", 60, "start");
  mark(10, "you", 51, "you applied shop.yaml");
  for (const [i, ago] of [49, 48, 47, 45, 43, 42].entries()) mark(11 + i, "event", ago, "a Pod changed");
  mark(40, "verdict", 40, "A controller owns every Pod: passed", "check/managed");
  mark(41, "verdict", 34, "The wanted number is ready: passed", "check/enough");
  mark(42, "prediction", 25, "your prediction");
  mark(43, "fault", 11, "you deleted 4tq7m");
  for (const [i, ago] of [10, 9, 7.5, 6].entries()) mark(44 + i, "event", ago, "a Pod changed");
  if (state === "loading") {
    return {
      "sandbox/self": {
        t: "sandbox",
        phase: "preparing",
        phases: [
          { name: "Namespace and guard rails", ms: 220 },
          { name: "Toolbox", ms: null },
        ],
        expires: null,
        place: 0,
        text: "",
      },
    };
  }
  if (state !== "asked") Object.assign(items, lockedItems(at));
  if (marked) {
    items["attempt/now"] = {
      t: "attempt",
      n: 1,
      state: "marked",
      started: at - 300,
      until: null,
      points: 12,
      of: 14,
      text: "",
    };
    items["hint/now"] = {
      t: "hint",
      offered: false,
      id: "too-early",
      say: "The app needs a few seconds after start. How does the Service know when it may send customers?",
      n: 1,
      most: 2,
    };
  }
  return items;
}

export function historyOf(now: number): History {
  const all = itemsOf("broken", now);
  const at = now - 60;
  const start: Items = {};
  for (const [key, item] of Object.entries(all))
    if (item.t === "node" || item.t === "component" || item.t === "sandbox") start[key] = item;
  const frames: History["frames"] = [];
  const add = (ago: number, set: Record<string, unknown>, del: string[] = []) =>
    frames.push({
      f: "delta",
      epoch: 3,
      seq: frames.length + 10,
      at: now - ago,
      set: set as Record<string, Record<string, unknown>>,
      del,
    });
  const running = (key: string) => ({
    ...(all[key] as object),
    status: "Running",
    ready: "1/1",
    ok: true,
    deleting: null,
  });
  add(51, { "workload/d": all["workload/d"], "marker/10": all["marker/10"] });
  add(50, { "workload/rs": all["workload/rs"], "service/s": { ...all["service/s"], endpoints: {} } });
  for (const [i, key] of ["pod/1", "pod/2", "pod/3"].entries())
    add(49 - i, {
      [key]: {
        ...(all[key] as object),
        status: "ContainerCreating",
        ready: "0/1",
        ok: false,
        deleting: null,
      },
    });
  for (const [i, key] of ["pod/1", "pod/2", "pod/3"].entries())
    add(38 - i, {
      [key]: running(key),
      "service/s": {
        endpoints: Object.fromEntries(["1", "2", "3"].slice(0, i + 1).map((one) => [one, "ready"])),
      },
    });
  add(25, { "marker/42": all["marker/42"] });
  add(11, {
    "marker/43": all["marker/43"],
    "pod/2": { deleting: now - 11, status: "Terminating" },
    "fault/kill": all["fault/kill"],
  });
  add(9, { "pod/4": all["pod/4"] });
  add(1, { "pod/2": { ready: "0/1", ok: false } });
  return {
    epoch: 3,
    start: { f: "snapshot", epoch: 3, seq: 9, at, items: start },
    frames,
    seconds: 60,
    label: "a run of the solution, 3 March",
  };
}
