/** Made-up states and sequences of the picture. No student ever sees them. */
import { foldTo, type Item, type Items, type PodItem } from "../src/lib/protocol";
import { chainTo, duelHistory, duelNext } from "./record";
import type { DemoLive } from "./store.svelte";

export interface DemoScene {
  items: (now: number) => Items;
  steps?: { after: number; set?: (now: number) => Record<string, Record<string, unknown>>; del?: string[] }[];
  directions?: Record<string, unknown>;
  behind?: number;
  staleSince?: number;
  mode?: DemoLive["forced"];
  select?: string;
  /** Answers of the server, by the end of the address asked. */
  answers?: (now: number) => Record<string, unknown>;
  /** Plays a stored record instead: the end of its address. */
  film?: string;
  /** The duel's record goes on from this second, a frame each. */
  goesOn?: number;
}

const MI = 2 ** 20;
const node = (name: string, share: number, more: Partial<Item> = {}): Item =>
  ({
    t: "node",
    name,
    ready: "True",
    cordoned: false,
    mem: 512 * MI,
    req: Math.round(share * 512 * MI),
    ...more,
  }) as Item;

export function pod(name: string, more: Partial<PodItem> = {}): PodItem {
  const status = more.status ?? "Running";
  const ok = more.ok ?? status === "Running";
  return {
    t: "pod",
    name,
    suffix: name.slice(name.lastIndexOf("-") + 1),
    node: "worker-1",
    status,
    ready: ok ? "1/1" : "0/1",
    ok,
    restarts: 0,
    created: Date.now() / 1000 - 128,
    deleting: null,
    owner: "workload/rs",
    app: "web",
    containers: [
      {
        name: "app",
        image: "nginx:1.27",
        state: ok ? "running" : "waiting",
        reason: "",
        ready: ok,
        restarts: 0,
      },
    ],
    message: "",
    ip: "10.4.1.17",
    rv: "1",
    ...more,
  };
}

const workload = (
  kind: string,
  name: string,
  n: [number, number, number],
  owner: string | null,
  rv = "1",
): Item => ({
  t: "workload",
  kind,
  name,
  replicas: n[0],
  there: n[1],
  ready: n[2],
  updated: n[1],
  available: n[2],
  owner,
  rv,
});
const service = (
  name: string,
  endpoints: Record<string, "ready" | "not-ready" | "terminating">,
  port = 80,
): Item => ({
  t: "service",
  name,
  port,
  selector: { app: name },
  endpoints,
});
const component = (name: string, text: string, at = 0): Item => ({ t: "component", name, text, at });
const probe = (sent: number, failed: number): Item => ({
  t: "probe",
  ok: true,
  status: 200,
  ms: 4,
  error: "",
  sent,
  failed,
});

const base = (): Items => ({
  "node/worker-1": node("worker-1", 0.41),
  "node/worker-2": node("worker-2", 0.28),
  "node/worker-3": node("worker-3", 0.57),
  "component/api-server": component("api-server", "pods/web-h6wvd patched"),
  "component/scheduler": component("scheduler", "bound h6wvd"),
  "component/controller-manager": component("controller-manager", "wanted 3, ready 2"),
  "component/etcd": component("etcd", "rev 48 213"),
});

const shop = (now: number): Items => ({
  ...base(),
  "workload/dep": workload("Deployment", "web", [3, 3, 3], null),
  "workload/rs": workload("ReplicaSet", "web-7c9d8", [3, 3, 3], "workload/dep"),
  "pod/x": pod("web-7c9d8-x2k9p", { created: now - 130 }),
  "pod/4": pod("web-7c9d8-4tq7m", { node: "worker-2", created: now - 130 }),
  "pod/m": pod("web-7c9d8-m8zq5", { node: "worker-3", created: now - 129 }),
  "service/web": service("web", { x: "ready", 4: "ready", m: "ready" }),
  "probe/web": probe(1240, 0),
});

const mock = (now: number): Items => ({
  ...shop(now),
  "workload/rs": workload("ReplicaSet", "web-7c9d8", [3, 3, 2], "workload/dep"),
  "pod/4": pod("web-7c9d8-4tq7m", {
    node: "worker-2",
    status: "Terminating",
    ok: false,
    deleting: now,
    created: now - 130,
  }),
  "pod/h": pod("web-7c9d8-h6wvd", {
    node: "worker-3",
    status: "ContainerCreating",
    ok: false,
    created: now - 9,
  }),
  "service/web": service("web", { x: "ready", 4: "terminating", m: "ready", h: "not-ready" }),
  "probe/web": probe(1240, 2),
  "prediction/where": { t: "prediction", value: "worker-2", at: now - 25, observed: null, right: null },
  "fault/kill": { t: "fault", phase: "started", target: "pod/4", at: now - 11, needs: [], lost: 2 },
});

const STATES: [string, Partial<PodItem>][] = [
  ["8fz2k", { status: "Pending", node: "" }],
  ["c9l4d", { status: "Pending", node: "", message: "0/3 nodes are available: 3 Insufficient memory." }],
  ["k2v8w", { status: "Init:1/2" }],
  ["h6wvd", { status: "ContainerCreating", created: Date.now() / 1000 - 9 }],
  ["t5x7n", { status: "Running", ok: false, ready: "0/1" }],
  ["x2k9p", { status: "Running" }],
  ["4tq7m", { status: "Terminating", deleting: 1 }],
  ["j6s3b", { status: "Completed" }],
  ["z8d5q", { status: "Error" }],
  ["p4n6c", { status: "CrashLoopBackOff", restarts: 4 }],
  ["v7g2r", { status: "OOMKilled", restarts: 2 }],
  ["b3w9f", { status: "ImagePullBackOff" }],
  ["m8zq5", { status: "Evicted" }],
  ["f2h6t", { status: "Unknown" }],
  ["q9c3x", { status: "StartError" }],
  ["p9n2d", { status: "Pending" }],
];

const states = (): Items => {
  const items: Items = { ...base() };
  for (let i = 1; i <= 7; i++) items[`node/worker-${i}`] = node(`worker-${i}`, 0.1 * i);
  for (const [i, [suffix, more]] of STATES.entries()) {
    const where = more.node === "" ? "" : `worker-${1 + Math.floor((i - 2) / 2)}`;
    items[`pod/${suffix}`] = pod(`web-7c9d8-${suffix}`, {
      ok: false,
      ready: "0/1",
      owner: null,
      created: 1000 + i,
      ...more,
      node: where,
    });
    const one = items[`pod/${suffix}`] as PodItem;
    if (more.status === "Running" && more.ok === undefined) Object.assign(one, { ok: true, ready: "1/1" });
    one.suffix = suffix;
    one.name = suffix;
    one.created = more.created ?? Date.now() / 1000 - 60 - i;
  }
  return items;
};

/** Six states at a time in full size: two to a hold. */
const wall = (from: number): Items => {
  const items: Items = { ...base() };
  for (const [i, [suffix, more]] of STATES.slice(from, from + 6).entries()) {
    const ok = more.status === "Running" && more.ok === undefined;
    items[`pod/${suffix}`] = pod(suffix, {
      ok,
      ready: ok ? "1/1" : "0/1",
      ...more,
      node: `worker-${1 + Math.floor(i / 2)}`,
      created: Date.now() / 1000 - 90 + i,
    });
  }
  return items;
};

const sidecars = (): Items => {
  const box = (name: string, state = "running") => ({
    name,
    image: "app/x:1",
    state,
    reason: "",
    ready: state === "running",
    restarts: 0,
  });
  return {
    ...base(),
    "pod/a": pod("web-7c9d8-twobx", { ready: "2/2", containers: [box("app"), box("log")] }),
    "pod/b": pod("web-7c9d8-three", {
      node: "worker-2",
      ok: false,
      ready: "2/3",
      containers: [box("app"), box("proxy", "waiting"), box("log")],
    }),
    "pod/c": pod("a-very-long-bare-pod-name", {
      node: "worker-3",
      owner: null,
      containers: [{ ...box("app"), image: "registry.example/team/a-very-long-image:2026.11.24" }],
    }),
  };
};

const crowd = (now: number): Items => {
  const items: Items = { ...base(), "service/web": service("web", {}) };
  const endpoints: Record<string, "ready"> = {};
  for (let i = 0; i < 14; i++) {
    items[`pod/s${i}`] = pod(`web-7c9d8-s${i}${i}xk`.slice(0, 15), {
      node: "worker-3",
      created: now - 300 + i,
    });
    endpoints[`s${i}`] = "ready";
  }
  for (let i = 0; i < 5; i++) {
    items[`pod/t${i}`] = pod(`web-7c9d8-t${i}v8d`, {
      node: "worker-2",
      status: i === 4 ? "ContainerCreating" : i === 3 ? "CrashLoopBackOff" : "Running",
      ok: i < 3,
      created: now - 200 + i,
    });
    if (i < 3) endpoints[`t${i}`] = "ready";
  }
  items["pod/u"] = pod("web-7c9d8-u1x2c", { created: now - 100 });
  endpoints.u = "ready";
  items["workload/dep"] = workload("Deployment", "web", [20, 20, 18], null);
  items["workload/rs"] = workload("ReplicaSet", "web-7c9d8", [20, 20, 18], "workload/dep");
  items["service/web"] = service("web", endpoints);
  return items;
};

const real = (now: number): Items => {
  const one = (name: string, more: Partial<PodItem>): PodItem =>
    pod(name, {
      app: "storefront",
      containers: [
        { name: "app", image: "app/storefront:1.0", state: "running", reason: "", ready: true, restarts: 0 },
      ],
      created: now - 44,
      ...more,
    });
  return {
    ...base(),
    "component/api-server": component("api-server", "storefront-7c9d8f6b5d-h6wvd patched"),
    "component/controller-manager": component("controller-manager", "wants 3, ready 3"),
    "workload/dep": workload("Deployment", "storefront", [3, 3, 3], null),
    "workload/rs": workload("ReplicaSet", "storefront-7c9d8f6b5d", [3, 3, 3], "workload/dep"),
    "workload/rs0": workload("ReplicaSet", "storefront-5d4c8b7f99", [0, 0, 0], "workload/dep"),
    "pod/bare": one("storefront", { owner: null, created: now - 300, node: "worker-2" }),
    "pod/a": one("storefront-7c9d8f6b5d-x2k9p", {}),
    "pod/b": one("storefront-7c9d8f6b5d-4tq7m", { node: "worker-2" }),
    "pod/c": one("storefront-7c9d8f6b5d-m8zq5", { node: "worker-3", ok: false, ready: "0/1" }),
    "service/s": service("storefront", { bare: "ready", a: "ready", b: "ready", c: "not-ready" }),
    "probe/front": probe(812, 0),
  };
};

const services = (now: number): Items => ({
  ...real(now),
  "workload/sts": workload("StatefulSet", "orders", [1, 1, 1], null),
  "pod/o": pod("orders-0", { owner: "workload/sts", app: "orders", suffix: "0", node: "worker-3" }),
  "service/o": service("orders", { o: "ready" }, 8080),
});

const kill: DemoScene = {
  items: shop,
  steps: [
    {
      after: 1500,
      set: (now) => ({
        "pod/4": { status: "Terminating", deleting: now, ok: false, ready: "0/1" },
        "fault/kill": { t: "fault", phase: "started", target: "pod/4", at: now, needs: [], lost: 0 },
        "service/web": { endpoints: { x: "ready", 4: "terminating", m: "ready" } },
        "workload/rs": { ready: 2, rv: "2" },
        "component/api-server": { text: "pods/web-7c9d8-4tq7m deleted", at: now },
      }),
    },
    {
      after: 600,
      set: (now) => ({
        "pod/h": pod("web-7c9d8-h6wvd", { node: "", status: "Pending", ok: false, created: now }) as never,
        "component/controller-manager": { text: "created h6wvd", at: now },
      }),
    },
    {
      after: 900,
      set: (now) => ({
        "pod/h": { node: "worker-3", status: "ContainerCreating" },
        "component/scheduler": { text: "bound h6wvd", at: now },
        "service/web": { endpoints: { x: "ready", 4: "terminating", m: "ready", h: "not-ready" } },
        "fault/kill": { lost: 2 },
        "probe/web": { sent: 1262, failed: 2 },
      }),
    },
    { after: 1500, set: () => ({ "pod/h": { status: "Running" } }), del: ["pod/4"] },
    {
      after: 1200,
      set: () => ({
        "pod/h": { ok: true, ready: "1/1" },
        "service/web": { endpoints: { x: "ready", m: "ready", h: "ready" } },
        "workload/rs": { ready: 3, rv: "3" },
        "fault/kill": { phase: "ended" },
      }),
    },
  ],
};

const one = (now: number): Items => ({
  "pod/h": pod("web-7c9d8-h6wvd", { node: "worker-3", created: now - 7 }),
  "service/web": service("web", { x: "ready", m: "ready", h: "ready" }),
});

export const SCENES: Record<string, DemoScene> = {
  mock: { items: mock },
  states: { items: states },
  wall1: { items: () => wall(2) },
  wall2: { items: () => wall(8) },
  wall3: { items: () => wall(10) },
  sidecars: { items: sidecars },
  kill,
  real: { items: real },
  services: { items: services },
  crowd: { items: crowd },
  pending: {
    items: (now) => ({
      ...shop(now),
      "pod/p": pod("web-7c9d8-p1nd7", { node: "", status: "Pending", ok: false, created: now - 3 }),
      "pod/q": pod("web-7c9d8-q8rfd", {
        node: "",
        status: "Pending",
        ok: false,
        created: now - 41,
        message: "0/3 nodes are available: 3 Insufficient memory.",
      }),
    }),
  },
  flood: {
    items: (now) => ({
      ...shop(now),
      "node/worker-2": node("worker-2", 0.28, { ready: "Unknown" }),
      "node/worker-3": node("worker-3", 0.57, { cordoned: true }),
      "pod/4": pod("web-7c9d8-4tq7m", { node: "worker-2", ok: false, ready: "0/1", created: now - 130 }),
      "service/web": service("web", { x: "ready", 4: "not-ready", m: "ready" }),
    }),
  },
  card: { items: mock, select: "pod/m" },
  scene: {
    items: shop,
    directions: {
      focus: "pod:app=web",
      highlight: "service/web",
      annotate: ["service/web: one ready address behind this name", "pod:app=nobody: gone"],
      say: "Watch the name on each Pod",
    },
  },
  bare: {
    items: (now) => ({
      ...base(),
      "pod/storefront": pod("storefront", { owner: null, created: now - 20, suffix: "storefront" }),
      "service/web": service("web", { storefront: "ready" }),
      "probe/web": probe(12, 0),
    }),
  },
  duel: {
    items: (now) => foldTo(duelHistory(now, 70), 70),
    directions: { scene: "duel", say: "Both forms of the shop" },
    answers: (now) => ({ history: duelHistory(now, 70) }),
    goesOn: 70,
  },
  "duel-begins": {
    items: (now) => foldTo(duelHistory(now, 38), 38),
    directions: { scene: "duel" },
    answers: (now) => ({ history: duelHistory(now, 38) }),
    goesOn: 38,
  },
  "duel-fault": {
    items: (now) => foldTo(duelHistory(now, 54), 54),
    directions: { scene: "duel" },
    answers: (now) => ({ history: duelHistory(now, 54) }),
  },
  "duel-empty": { items: base, directions: { scene: "duel" } },
  "duel-film": {
    items: () => ({}),
    directions: { scene: "duel" },
    answers: () => ({ "film/": duelHistory(1_764_000_000, 80) }),
    film: "film/",
  },
  hops: {
    items: (now) => ({ ...mock(now), ...one(now) }),
    directions: { scene: "cluster", layout: "control-plane" },
    answers: (now) => ({ "causes/latest": chainTo("pod/h", "workload/dep", "service/web", now - 3) }),
  },
  "hops-empty": { items: base, directions: { scene: "cluster", layout: "control-plane" } },
  past: { items: mock, mode: "past" },
  recorded: { items: mock, mode: "recorded" },
  empty: { items: base },
  late: { items: shop, behind: 4 },
  stale: { items: shop, staleSince: 14 },
  loading: { items: () => ({}), mode: "loading" },
  error: { items: shop, mode: "error" },
};

/** Feeds a scene and its steps into the store, beats included. Returns what takes the next step by hand. */
export function play(store: DemoLive, scene: DemoScene, byHand = false): () => void {
  const now = (): number => Date.now() / 1000;
  if (scene.answers) store.answer(scene.answers(now()));
  if (scene.film) {
    store.film(scene.film);
    return () => {};
  }
  let seq = 1 + (scene.goesOn ?? 0);
  store.receive({ f: "snapshot", epoch: 1, seq, at: now(), items: scene.items(now()) });
  store.forced = scene.mode ?? null;
  const beat = (): void =>
    store.receive({
      f: "beat",
      behind: scene.behind ?? 0.2,
      at: now(),
      stale_since: scene.staleSince ? now() - scene.staleSince : null,
    });
  beat();
  setInterval(beat, 2000);
  const { goesOn } = scene;
  let second = 0;
  if (goesOn) setInterval(() => store.receive(duelNext(goesOn + ++second, now())), 1000);
  if (scene.select) setTimeout(() => store.select(scene.select ?? null), 300);
  const steps = [...(scene.steps ?? [])];
  const next = (): void => {
    const step = steps.shift();
    if (!step) return;
    seq += 1;
    store.receive({
      f: "delta",
      epoch: 1,
      seq,
      at: now(),
      set: step.set?.(now()) ?? {},
      del: step.del ?? [],
    });
    if (!byHand && steps[0]) setTimeout(next, steps[0].after);
  };
  if (!byHand && steps[0]) setTimeout(next, steps[0].after);
  if (scene.steps && !byHand)
    setInterval(() => {
      const item = store.items["probe/web"];
      if (item?.t !== "probe") return;
      seq += 1;
      store.receive({
        f: "delta",
        epoch: 1,
        seq,
        at: now(),
        set: { "probe/web": { sent: item.sent + 10 } },
        del: [],
      });
    }, 250);
  return next;
}
