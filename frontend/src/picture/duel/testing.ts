/** The shop in both its forms, for tests. */
import type { FaultItem, Items, PodItem, ProbeItem } from "../../lib/protocol";
import { aNode, aPod, aService } from "../testing";

export const MI = 2 ** 20;

export const aPart = (app: string, version = "1.0", more: Partial<PodItem> = {}): PodItem =>
  aPod(`${app}-7c9d8-x2k9p`, {
    app,
    containers: [
      { name: "app", image: `app/${app}:${version}`, state: "running", reason: "", ready: true, restarts: 0 },
    ],
    ...more,
  });

export const aProbe = (sent: number, failed = 0, more: Partial<ProbeItem> = {}): ProbeItem => ({
  t: "probe",
  ok: true,
  status: 200,
  ms: 4,
  error: "",
  sent,
  failed,
  ...more,
});

export const aHang = (more: Partial<FaultItem> = {}): FaultItem => ({
  t: "fault",
  phase: "started",
  target: "pod/stock",
  targets: ["pod/stock", "pod/monolith"],
  at: 110,
  began: 110,
  needs: [],
  lost: 0,
  kind: "slow-app",
  how: "hang",
  text: "stock hangs",
  ...more,
});

const PARTS = ["storefront", "catalogue", "orders", "stock"];

/** One node, both forms at 1.0, nobody has asked yet. */
export const bothShops = (): Items => ({
  "node/worker-1": aNode("worker-1"),
  ...Object.fromEntries([...PARTS, "monolith"].map((app) => [`pod/${app}`, aPart(app)])),
  ...Object.fromEntries(
    [...PARTS, "monolith"].map((app) => [`service/${app}`, aService(app, { [app]: "ready" })]),
  ),
  "probe/browse": aProbe(0),
  "probe/mono": aProbe(0),
});
