/** A made-up record of both shops: seventy seconds, a release on each side, then stock stops. No student sees it. */
import type { DeltaFrame, History, Items, SnapshotFrame } from "../src/lib/protocol";
import type { Chain } from "../src/picture/control/hops";
import { pod } from "./scenes";

const MI = 2 ** 20;
const PARTS: Record<string, number> = {
  storefront: 12.4,
  catalogue: 11.8,
  orders: 13.1,
  stock: 6.2,
  monolith: 21.5,
};
const FAULT_AT = 42;
const FAULT_FOR = 20;

const part = (app: string, version: string, now: number, more = {}) =>
  pod(`${app}-7c9d8-x2k9p`, {
    app,
    owner: null,
    node: `worker-${1 + (Object.keys(PARTS).indexOf(app) % 3)}`,
    created: now - 100,
    mem: (PARTS[app] ?? 0) * MI,
    containers: [
      { name: "app", image: `app/${app}:${version}`, state: "running", reason: "", ready: true, restarts: 0 },
    ],
    ...more,
  });

const shopItems = (at: number): Items => {
  const items: Items = {};
  for (const node of ["worker-1", "worker-2", "worker-3"])
    items[`node/${node}`] = {
      t: "node",
      name: node,
      ready: "True",
      cordoned: false,
      mem: 512 * MI,
      req: 100 * MI,
    };
  for (const app of Object.keys(PARTS)) {
    items[`pod/${app}`] = part(app, "1.0", at);
    items[`service/${app}`] = {
      t: "service",
      name: app,
      port: 80,
      selector: { app },
      endpoints: { [app]: "ready" },
    };
  }
  for (const id of ["browse", "mono"])
    items[`probe/${id}`] = {
      t: "probe",
      ok: true,
      status: 200,
      ms: 7,
      error: "",
      sent: 0,
      failed: 0,
      p95: null,
    };
  return items;
};

/** The same as a frame sets it. */
const fresh = (...made: Parameters<typeof part>): Record<string, unknown> => ({ ...part(...made) });

/** What happens in second `s`: fields to set and keys that go, in the record's own form. */
function secondOf(s: number, at: number): Pick<DeltaFrame, "set" | "del"> {
  const hang = s > FAULT_AT && s <= FAULT_AT + FAULT_FOR;
  const down = Math.max(0, Math.min(s, FAULT_AT + FAULT_FOR) - FAULT_AT);
  const wobble = (k: number): number => Math.round(10 * (k + 2 * Math.sin(s * 1.7) + Math.cos(s * 0.9))) / 10;
  const set: Record<string, Record<string, unknown>> = {
    "probe/mono": {
      sent: 4 * s,
      failed: 4 * down,
      p95: hang ? null : wobble(14),
      ok: !hang,
      error: hang ? "timed out" : "",
    },
    "probe/browse": { sent: 4 * s, failed: 0, p95: wobble(hang ? 160 : 31), ok: true },
  };
  const del: string[] = [];
  if (s === 14)
    set["pod/m2"] = fresh("monolith", "1.1", at, {
      ok: false,
      status: "ContainerCreating",
      ready: "0/1",
      mem: undefined,
      created: at,
    });
  if (s === 17) {
    set["pod/m2"] = { ok: true, status: "Running", ready: "1/1", mem: 22 * MI };
    set["service/monolith"] = { endpoints: { m2: "ready" } };
  }
  if (s === 18) del.push("pod/monolith");
  if (s === 22) {
    set["pod/s2"] = fresh("storefront", "1.1", at, { created: at, mem: 12.9 * MI });
    set["service/storefront"] = { endpoints: { s2: "ready" } };
    del.push("pod/storefront");
  }
  if (s === FAULT_AT) {
    set["fault/stock-down"] = {
      t: "fault",
      phase: "started",
      target: "pod/stock",
      targets: ["pod/stock", "pod/m2"],
      at,
      began: at,
      needs: [],
      lost: 0,
      kind: "slow-app",
      how: "hang",
      until: at + FAULT_FOR,
      text: "stock hangs",
    };
    set[`marker/${s}`] = {
      t: "marker",
      kind: "fault",
      at,
      seq: s + 1,
      text: "you stopped stock",
      of: "pod/stock",
    };
  }
  if (s === FAULT_AT + FAULT_FOR) set["fault/stock-down"] = { phase: "reverted", at };
  return { set, del };
}

/** `seconds` of it, ending at `end` unix s. */
export function duelHistory(end: number, seconds: number): History {
  const from = end - seconds;
  const start: SnapshotFrame = { f: "snapshot", epoch: 1, seq: 1, at: from, items: shopItems(from) };
  const frames = Array.from({ length: seconds }, (_, i): DeltaFrame => {
    const s = i + 1;
    return { f: "delta", epoch: 1, seq: s + 1, at: from + s, ...secondOf(s, from + s) };
  });
  return { epoch: 1, start, frames, seconds, label: "a run of the solution, 3 March 2026" };
}

/** The frame of the next second, for a page that goes on. */
export const duelNext = (s: number, at: number): DeltaFrame => ({
  f: "delta",
  epoch: 1,
  seq: s + 1,
  at,
  ...secondOf(s, at),
});

/** A wish followed through the cluster; `at` is when the Pod became ready. */
export function chainTo(podKey: string, deploymentKey: string, serviceKey: string, at: number): Chain {
  const hops: [
    actor: string,
    stage: string,
    text: string,
    evidence: string,
    since: number,
    of: string,
    missing?: string,
  ][] = [
    [
      "student",
      "request",
      "You asked for Deployment web in the terminal.",
      "audit log, entry 41: create deployments/web",
      0,
      deploymentKey,
    ],
    ["api-server", "request", "The API server took CREATE.", "answered 201, from you", 0.01, deploymentKey],
    [
      "etcd",
      "object",
      "Deployment web is written down in etcd.",
      "revision 48207, uid 7c9d8f6b",
      0.02,
      deploymentKey,
    ],
    [
      "deployment-controller",
      "controller",
      "The Deployment controller made ReplicaSet web-7c9d8, for 1 Pod.",
      "owner Deployment web, Event ScalingReplicaSet",
      0.06,
      "workload/rs",
    ],
    [
      "replicaset-controller",
      "controller",
      "The ReplicaSet controller counted one Pod too few.",
      "owner ReplicaSet web-7c9d8",
      0.1,
      "workload/rs",
      "Controllers write no log of their looking.",
    ],
    [
      "replicaset-controller",
      "controller",
      "The ReplicaSet controller made Pod h6wvd.",
      "owner ReplicaSet web-7c9d8, Event SuccessfulCreate",
      0.13,
      podKey,
    ],
    [
      "scheduler",
      "scheduler",
      "The scheduler bound Pod h6wvd to worker-3.",
      "Event Scheduled, revision 48211",
      0.21,
      podKey,
    ],
    ["kubelet", "kubelet", "The kubelet on worker-3 took Pod h6wvd.", "Event Pulled by kubelet", 2.2, podKey],
    ["container", "container", "Container app runs.", "containerStatuses: running", 2.6, podKey],
    ["probe", "probe", "The readiness probe was answered.", "condition Ready True", 4.4, podKey],
    [
      "endpointslice-controller",
      "endpoints",
      "Service web sends to h6wvd.",
      "EndpointSlice web-k2v: ready",
      4.5,
      serviceKey,
    ],
  ];
  return {
    seq: 60,
    hops: hops.map(([actor, stage, text, evidence, since, of, missing], i) => ({
      n: i + 1,
      actor,
      stage,
      text,
      evidence,
      at: at - 4.5 + since,
      seq: missing ? null : 41 + i,
      of,
      how: missing ? "inferred" : "observed",
      missing: missing ?? null,
    })),
  };
}
