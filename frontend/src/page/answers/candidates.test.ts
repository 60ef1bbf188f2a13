import { describe, expect, it } from "vitest";
import type { Items } from "../../lib/protocol";
import { answerOf, candidates } from "./candidates";

const items = {
  "node/worker-10": { t: "node", name: "worker-10" },
  "node/worker-2": { t: "node", name: "worker-2" },
  "pod/1": { t: "pod", name: "web-x2k9p", node: "worker-2" },
  "pod/2": { t: "pod", name: "web-h6wvd", node: "" },
  "workload/d": { t: "workload", kind: "Deployment", name: "web" },
  "service/s": { t: "service", name: "web" },
  "component/etcd": { t: "component", name: "etcd" },
  "check/a": { t: "check", say: "A" },
} as unknown as Items;

describe("answering with the picture", () => {
  it("takes a node, or the node where the Pod runs", () => {
    expect(answerOf("node", items["node/worker-2"])).toBe("worker-2");
    expect(answerOf("node", items["pod/1"])).toBe("worker-2");
    expect(answerOf("node", items["pod/2"])).toBeNull();
    expect(answerOf("node", items["service/s"])).toBeNull();
  });
  it("takes an object as its kind and name", () => {
    expect(answerOf("object", items["workload/d"])).toBe("Deployment/web");
    expect(answerOf("object", items["pod/2"])).toBe("Pod/web-h6wvd");
    expect(answerOf("object", items["component/etcd"])).toBeNull();
    expect(answerOf("object", undefined)).toBeNull();
  });
  it("lists what could be the answer, each once, numbers in order", () => {
    expect(candidates("node", items)).toEqual(["worker-2", "worker-10"]);
    expect(candidates("object", items)).toEqual([
      "Deployment/web",
      "Node/worker-2",
      "Node/worker-10",
      "Pod/web-h6wvd",
      "Pod/web-x2k9p",
      "Service/web",
    ]);
  });
});
