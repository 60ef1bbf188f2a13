import { describe, expect, it } from "vitest";
import { aNode, aPod, aService, aShop, aWorkload } from "./testing";
import { type Twin, twinOf } from "./twin";
import {
  age,
  fitFact,
  grouped,
  imageLines,
  nodeSentence,
  ownerText,
  podLabel,
  podSentence,
  serviceSentence,
  shortAge,
} from "./words";
import { readWorld } from "./world";

describe("ages", () => {
  it.each([
    [9, "9s"],
    [119, "119s"],
    [124, "2m4s"],
    [600, "10m"],
    [10_799, "179m"],
    [12_000, "3h20m"],
    [180_000, "2d2h"],
    [864_000, "10d"],
  ])("%i s is %s, as kubectl prints it", (seconds, text) => {
    expect(age(seconds)).toBe(text);
  });
  it("the capsule's slot takes one unit", () => {
    expect([9, 99, 101, 8000, 200_000].map(shortAge)).toEqual(["9s", "99s", "1m", "2h", "2d"]);
  });
});

describe("labels", () => {
  it("a Pod with an owner shows its suffix, one without its name", () => {
    expect(podLabel(aPod("web-7c9d8-x2k9p"))).toBe("x2k9p");
    expect(podLabel(aPod("storefront", { owner: null }))).toBe("storefront");
    expect(podLabel(aPod("orders-0"), "StatefulSet")).toBe("orders-0");
  });
  it("a long image stands in two lines", () => {
    expect(imageLines("docker.io/library/nginx:1.27")).toEqual(["nginx:1.27"]);
    expect(imageLines("app/storefront:1.0@sha256:abc")).toEqual(["storefront", "1.0"]);
  });
  it("groups digits and keeps others", () => {
    expect(grouped(48213).replace(/\s/g, " ")).toBe("48 213");
    expect(grouped(812)).toBe("812");
  });
  it("a fact too long for its room loses the names' prefixes first", () => {
    expect(fitFact("bound h6wvd", 13)).toBe("bound h6wvd");
    expect(fitFact("storefront-7c9d8f6b5d-h6wvd patched", 32)).toBe("h6wvd patched");
    expect(fitFact("bound storefront", 13)).toBe("storefront");
    expect(fitFact("wrote a very long sentence", 12).length).toBeLessThanOrEqual(12);
  });
});

describe("sentences of the text twin", () => {
  const world = readWorld({
    ...aShop(),
    "pod/h": aPod("web-7c9d8-h6wvd", {
      node: "worker-3",
      status: "ContainerCreating",
      ready: "0/1",
      ok: false,
      created: 191,
    }),
    "service/web": aService("web", { x: "ready", m: "ready", h: "not-ready" }),
  });
  it("says a Pod as the design does", () => {
    const pod = world.pods.find(([key]) => key === "pod/h")?.[1];
    expect(podSentence(pod ?? aPod("none"), ownerText(pod ?? aPod("none"), world), 200)).toBe(
      "Pod web-7c9d8-h6wvd on worker-3: ContainerCreating, READY 0/1, 0 restarts, 9 s old, owned by ReplicaSet web-7c9d8.",
    );
  });
  it("says a node as the design does", () => {
    expect(nodeSentence(aNode("worker-3", { req: 570 }), 2)).toBe(
      "worker-3, Ready, memory 57 % requested, 2 Pods.",
    );
    expect(nodeSentence(aNode("worker-3", { mem: 0, cordoned: true, ready: "False" }), 1)).toBe(
      "worker-3, NotReady,SchedulingDisabled, 1 Pod.",
    );
  });
  it("a little memory is not none", () => {
    expect(nodeSentence(aNode("worker-1", { mem: 100_000, req: 24 }), 1)).toBe(
      "worker-1, Ready, memory <1 % requested, 1 Pod.",
    );
    expect(nodeSentence(aNode("worker-1", { req: 0 }), 0)).toBe(
      "worker-1, Ready, memory 0 % requested, 0 Pods.",
    );
  });
  it("says a Service as the design does", () => {
    expect(serviceSentence(world.services[0]?.[1] ?? aService("none", {}), world)).toBe(
      "Service web, port 80, sends to 2 of 3 Pods: x2k9p, m8zq5. Not to h6wvd: not ready.",
    );
  });
  it("a Service that matches nothing says so", () => {
    expect(serviceSentence(aService("web", {}), world)).toBe(
      "Service web, port 80, sends to no Pod: nothing matches its selector.",
    );
  });
  it("a Pod without owner and with a reason says both", () => {
    const pod = aPod("storefront", {
      owner: null,
      node: "",
      status: "Pending",
      ready: "0/1",
      message: "0/3 nodes are available: too little memory",
    });
    expect(podSentence(pod, ownerText(pod, world), 103)).toBe(
      "Pod storefront on no node: Pending, READY 0/1, 0 restarts, 3 s old, owned by nobody. 0/3 nodes are available: too little memory.",
    );
  });
});

describe("the tree", () => {
  const keys = (twin: Twin): string[] => [...(twin.key ? [twin.key] : []), ...twin.children.flatMap(keys)];
  it("holds every item once, Services last", () => {
    const items = {
      ...aShop(),
      "workload/old": aWorkload("ReplicaSet", "web-5d4c8", {
        owner: "workload/dep",
        replicas: 0,
        there: 0,
        ready: 0,
      }),
    };
    const all = keys(twinOf(readWorld(items), 200));
    expect([...all].sort()).toEqual(Object.keys(items).sort());
    expect(all.at(-1)).toBe("service/web");
  });
  it("puts Pods under their node and unbound ones under none", () => {
    const tree = twinOf(
      readWorld({ ...aShop(), "pod/p": aPod("web-7c9d8-p1nd7", { node: "", status: "Pending" }) }),
      200,
    );
    const node = tree.children.find((child) => child.key === "node/worker-2");
    expect(node?.children.map((child) => child.key)).toEqual(["pod/4"]);
    expect(tree.children.find((child) => child.kind === "waiting")?.text).toBe("Bound to no node: 1 Pod");
  });
});
