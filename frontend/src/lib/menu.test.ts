import { describe, expect, it } from "vitest";
import {
  actWords,
  columnsOf,
  confirmOf,
  endsOf,
  filled,
  podsToBreak,
  runningFaults,
  secondsLeft,
} from "./menu";
import type { MenuEntry } from "./page";
import type { FaultItem, Items, PodItem } from "./protocol";

function entry(kind: string, group: MenuEntry["group"], more: Partial<MenuEntry> = {}): MenuEntry {
  return { kind, group, name: kind, mechanism: "", ends: "", refused: null, ...more };
}
const pod = {
  t: "pod",
  name: "web-7c9d8-x2k9p",
  suffix: "x2k9p",
  node: "worker-1",
  created: 5,
  deleting: null,
  owner: "workload/rs",
} as unknown as PodItem;
const items = {
  "workload/rs": { t: "workload", kind: "ReplicaSet", owner: "workload/d" },
  "workload/d": { t: "workload", kind: "Deployment", owner: null },
  "pod/late": { ...pod, name: "late", created: 9 },
  "pod/1": pod,
  "pod/going": { ...pod, deleting: 3 },
} as unknown as Items;

describe("the menu", () => {
  it("puts the Pod and its traffic left, what is shared right, and leaves empty groups out", () => {
    const menu = [entry("kill-pod", "pod"), entry("break-dns", "traffic"), entry("drain-node", "node")];
    const [left, right] = columnsOf(menu, "worker-1");
    expect(left?.map((one) => one.title)).toEqual(["This Pod", "Traffic"]);
    expect(right?.map((one) => one.title)).toEqual(["Node worker-1"]);
  });
  it("says a reason that all of a group share once, else with each", () => {
    const shared = { refused: "The nodes are shared." };
    const menu = [
      entry("cordon-node", "node", shared),
      entry("drain-node", "node", shared),
      entry("corrupt-config", "config"),
      entry("move-tag", "config", { refused: "Needs a registry of its own." }),
      entry("kill-component", "control-plane", { refused: "Needs a cluster of its own." }),
    ];
    const [, right] = columnsOf(menu, "");
    expect(right?.map((one) => [one.group, one.note])).toEqual([
      ["node", "The nodes are shared."],
      ["control-plane", ""],
      ["config", ""],
    ]);
  });
  it("offers the Pods that are there, oldest first", () => {
    expect(podsToBreak(items).map(([key]) => key)).toEqual(["pod/1", "pod/late"]);
  });
});

describe("what it says before it acts", () => {
  it("names who makes another Pod", () => {
    const kill = entry("kill-pod", "pod");
    expect(confirmOf(kill, pod, items)).toEqual({
      ask: "Delete this Pod?",
      outcome: "The Deployment will make another.",
    });
    const bare = { ...pod, owner: null } as PodItem;
    expect(confirmOf(kill, bare, items).outcome).toBe("No controller owns it: nothing makes another.");
    const set = { "workload/s": { t: "workload", kind: "StatefulSet", owner: null } } as unknown as Items;
    expect(confirmOf(kill, { ...pod, owner: "workload/s" }, set).outcome).toBe(
      "The StatefulSet will make another.",
    );
  });
  it("asks for the others by their name and says their end", () => {
    const dns = entry("break-dns", "traffic", { name: "Break DNS", ends: "30 s, restored" });
    expect(confirmOf(dns, pod, items)).toEqual({ ask: "Break DNS?", outcome: "30 s, restored." });
    expect(actWords(dns, pod)).toBe("Break DNS");
    expect(actWords(entry("kill-container", "pod", { name: "Kill the container: OOM" }), pod)).toBe(
      "Kill the container",
    );
    expect(actWords(entry("kill-pod", "pod"), pod)).toBe("Delete x2k9p");
  });
  it("says beside the name how it ends, for this very Pod", () => {
    expect(endsOf(entry("kill-pod", "pod"), pod)).toBe("a new one is made");
    expect(endsOf(entry("kill-pod", "pod"), { ...pod, owner: null } as PodItem)).toBe(
      "nothing makes another",
    );
    expect(endsOf(entry("drain-node", "node", { ends: "NODE uncordoned" }), pod)).toBe("worker-1 uncordoned");
  });
  it("fills in the chosen Pod and its node", () => {
    expect(filled("kubectl delete pod POD", pod)).toBe("kubectl delete pod web-7c9d8-x2k9p");
    expect(filled("kubectl cordon NODE", pod)).toBe("kubectl cordon worker-1");
    expect(filled("kubectl cordon NODE", null)).toBe("kubectl cordon its node");
  });
});

describe("faults that run", () => {
  const fault = (more: Partial<FaultItem>): FaultItem =>
    ({ t: "fault", phase: "started", target: null, at: 0, needs: [], lost: 0, ...more }) as FaultItem;
  it("finds them, the last to end at the end, and counts down", () => {
    const some = {
      a: fault({ until: 40 }),
      b: fault({ phase: "reverted" }),
      c: fault({ until: 20 }),
    } as unknown as Items;
    expect(runningFaults(some).map((one) => one.until)).toEqual([20, 40]);
    expect(secondsLeft(fault({ until: 40 }), 29.5)).toBe(11);
    expect(secondsLeft(fault({ until: 40 }), 50)).toBe(0);
    expect(secondsLeft(fault({ until: null }), 50)).toBeNull();
  });
});
