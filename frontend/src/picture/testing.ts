/** Items for tests. */
import type { Item, NodeItem, PodItem, ServiceItem, WorkloadItem } from "../lib/protocol";

export const aNode = (name: string, more: Partial<NodeItem> = {}): NodeItem => ({
  t: "node",
  name,
  ready: "True",
  cordoned: false,
  mem: 1000,
  req: 410,
  ...more,
});

export const aPod = (name: string, more: Partial<PodItem> = {}): PodItem => ({
  t: "pod",
  name,
  suffix: name.slice(name.lastIndexOf("-") + 1),
  node: "worker-1",
  status: "Running",
  ready: "1/1",
  ok: true,
  restarts: 0,
  created: 100,
  deleting: null,
  owner: "workload/rs",
  app: "web",
  containers: [],
  message: "",
  ip: "",
  rv: "1",
  ...more,
});

export const aWorkload = (kind: string, name: string, more: Partial<WorkloadItem> = {}): WorkloadItem => ({
  t: "workload",
  kind,
  name,
  replicas: 3,
  there: 3,
  ready: 3,
  updated: 3,
  available: 3,
  owner: null,
  rv: "1",
  ...more,
});

export const aService = (name: string, endpoints: ServiceItem["endpoints"]): ServiceItem => ({
  t: "service",
  name,
  port: 80,
  selector: { app: name },
  endpoints,
});

/** Three nodes, a Deployment of three, one Service: the shop at rest. */
export const aShop = (): Record<string, Item> => ({
  "node/worker-1": aNode("worker-1"),
  "node/worker-2": aNode("worker-2"),
  "node/worker-3": aNode("worker-3"),
  "workload/dep": aWorkload("Deployment", "web"),
  "workload/rs": aWorkload("ReplicaSet", "web-7c9d8", { owner: "workload/dep" }),
  "pod/x": aPod("web-7c9d8-x2k9p"),
  "pod/4": aPod("web-7c9d8-4tq7m", { node: "worker-2", created: 101 }),
  "pod/m": aPod("web-7c9d8-m8zq5", { node: "worker-3", created: 102 }),
  "service/web": aService("web", { x: "ready", 4: "ready", m: "ready" }),
});
