import { describe, expect, it } from "vitest";
import type { Items } from "../lib/protocol";
import { drawDecks } from "./decks";
import { directionsOf, keysOf, notesOf } from "./directions";
import { draw } from "./drawing";
import { neighbour } from "./keys";
import { aNode, aPod, aService, aShop, aWorkload } from "./testing";
import { isCovered, lostViews, rateOf, visitorsLine, visitorsView } from "./visitors";
import { ownWires, pipsOf, plateLabel, sternOf, watchWire } from "./wires";
import { readWorld } from "./world";

const drawn = (items: Items) => {
  const world = readWorld(items);
  return { world, ...draw(world, 1056, 500, new Map()) };
};
const mock = (): Items => ({
  ...aShop(),
  "pod/4": aPod("web-7c9d8-4tq7m", {
    node: "worker-2",
    status: "Terminating",
    deleting: 190,
    ok: false,
    created: 101,
  }),
  "pod/h": aPod("web-7c9d8-h6wvd", {
    node: "worker-3",
    status: "ContainerCreating",
    ok: false,
    created: 190,
  }),
  "service/web": aService("web", { x: "ready", 4: "terminating", m: "ready", h: "not-ready" }),
});

describe("the still of ship.md", () => {
  it("puts Pods in slots 281, 518, 755 and 854", () => {
    expect(drawn(mock()).drawing.pods.map((pod) => pod.x)).toEqual([281, 518, 755, 854]);
  });
  it("draws the still's pipe: first leg, header and last leg in one, the rest as joints", () => {
    const [pipe] = drawn(mock()).drawing.pipes;
    expect(pipe?.path).toBe("M328 232V136H901V181M565 136V181M651 136V116M802 136V232");
    expect(pipe?.noPath).toBe("M565 199V231M901 199V231");
  });
  it("draws the still's ownership wire and watch wire", () => {
    const { drawing, world } = drawn(mock());
    const wires = ownWires(drawing, sternOf(world, drawing.ship));
    expect(wires.find((wire) => wire.key === "own/workload/rs")?.path).toBe(
      "M206 372.5V444H871M328 444V373M565 444V373M802 444V373M871 444V373",
    );
    expect(watchWire(drawing)).toEqual({ path: "M242 200V434H919", tips: [445, 682, 919] });
  });
});

describe("only what the items say", () => {
  it("no valve for an endpoint whose Pod is not known, no pipe without a valve", () => {
    const { drawing } = drawn({ ...aShop(), "service/web": aService("web", { gone: "ready" }) });
    expect(drawing.pipes[0]).toMatchObject({ valves: [], path: "", noPath: "" });
  });
  it("a Pod on a node without an item still has a hold, which does not answer", () => {
    const { drawing } = drawn({ "pod/x": aPod("a-b-c", { node: "worker-9" }) });
    expect(drawing.holds.map((hold) => [hold.node.name, hold.flooded])).toEqual([["worker-9", true]]);
  });
  it("a Pending Pod hangs between the valves, in no hold", () => {
    const { drawing } = drawn({
      ...aShop(),
      "pod/p": aPod("web-7c9d8-p1nd7", { node: "", status: "Pending", ok: false }),
    });
    expect(drawing.pods.some((pod) => pod.key === "pod/p")).toBe(false);
    const [seat] = drawing.seats;
    expect(seat?.key).toBe("pod/p");
    for (const valve of drawing.pipes[0]?.valves ?? [])
      expect(Math.abs(valve.x - (seat?.x ?? 0))).toBeGreaterThan(62);
  });
  it("draws a ghost only where a node was predicted", () => {
    const said = (value: unknown): Items => ({
      ...aShop(),
      "prediction/p": { t: "prediction", value, at: 1, observed: null, right: null },
    });
    expect(drawn(said("worker-2")).drawing.ghost).toEqual({ x: 617, y: 236, size: "full" });
    expect(drawn(said("new")).drawing.ghost).toBeNull();
  });
  it("an owner's wire reaches only its own Pods", () => {
    const { drawing, world } = drawn({ ...aShop(), "pod/b": aPod("bare", { owner: null, created: 120 }) });
    const [wire] = ownWires(drawing, sternOf(world, drawing.ship)).filter(
      (one) => one.key === "own/workload/rs",
    );
    expect(wire?.ends).toHaveLength(1 + 3);
  });
  it("two Services on the same Pods keep their own headers and valves apart", () => {
    const { drawing } = drawn({ ...aShop(), "service/other": aService("other", { x: "ready" }) });
    const [one, two] = drawing.pipes;
    expect(one?.y).not.toBe(two?.y);
    const xs = drawing.pipes.flatMap((pipe) => pipe.valves.map((valve) => valve.x));
    expect(new Set(xs).size).toBe(xs.length);
  });
  it("fourteen Pods of one node are one stack with one valve", () => {
    const items: Items = {
      "node/worker-1": aNode("worker-1"),
      "node/worker-2": aNode("worker-2"),
      "node/worker-3": aNode("worker-3"),
    };
    const endpoints: Record<string, "ready" | "not-ready"> = {};
    for (let i = 0; i < 14; i++) {
      items[`pod/${i}`] = aPod(`web-1-p${i}`, { created: i, ok: i > 0 });
      endpoints[String(i)] = i > 0 ? "ready" : "not-ready";
    }
    items["service/web"] = aService("web", endpoints);
    const { drawing } = drawn(items);
    expect(drawing.stacks).toMatchObject([{ count: 14, ready: 13, label: "web" }]);
    expect(drawing.pipes[0]?.valves).toMatchObject([{ ready: 13, total: 14 }]);
  });
});

describe("plates of wanted state", () => {
  it("owners stand above what they own, old revisions are left out", () => {
    const items = {
      ...aShop(),
      "workload/old": aWorkload("ReplicaSet", "web-5d4c8", {
        owner: "workload/dep",
        replicas: 0,
        there: 0,
        ready: 0,
      }),
      "workload/a": aWorkload("StatefulSet", "zz"),
    };
    const { world, drawing } = drawn(items);
    expect(sternOf(world, drawing.ship).plates.map((plate) => plate.item.name)).toEqual([
      "web",
      "web-7c9d8",
      "zz",
    ]);
  });
  it("many plates become compact and none leaves the hull", () => {
    const items: Items = { ...aShop() };
    for (let i = 0; i < 9; i++) items[`workload/w${i}`] = aWorkload("Deployment", `w${i}`);
    const { world, drawing } = drawn(items);
    const stern = sternOf(world, drawing.ship);
    expect(stern.plates.every((plate) => plate.compact && plate.y + plate.h <= drawing.ship.T)).toBe(true);
    expect(stern.plates.length + stern.hidden).toBe(11);
  });
  it("pips: there, being made, missing", () => {
    const pips = pipsOf(aWorkload("ReplicaSet", "a", { replicas: 4, there: 3, ready: 2 }));
    expect(pips.map((pip) => pip.kind)).toEqual(["there", "there", "making", "missing"]);
    expect(pipsOf(aWorkload("ReplicaSet", "a", { replicas: 20 }))).toEqual([]);
    // Beside "Deployment" on a compact plate (from 62 of 130) nothing may reach further left.
    for (const replicas of [1, 3, 4, 5]) {
      const row = pipsOf(aWorkload("Deployment", "a", { replicas }), true);
      const wide = (row.at(-1)?.x ?? 0) + 10 * (row[0]?.scale ?? 1) - 10;
      expect(wide).toBeLessThanOrEqual(130 - 9 - 66);
    }
    expect(pipsOf(aWorkload("Deployment", "a", { replicas: 6 }), true)).toEqual([]);
  });
  it("a ReplicaSet's long name is shortened to its hash", () => {
    expect(plateLabel(aWorkload("ReplicaSet", "storefront-7c9d8f6b5d", { owner: "x" }), false).label).toBe(
      "7c9d8f6b5d",
    );
    expect(plateLabel(aWorkload("Deployment", "storefront"), false)).toEqual({
      label: "storefront",
      size: 15.5,
    });
  });
});

describe("visitors", () => {
  const probe = (sent: number, failed: number) => ({
    t: "probe" as const,
    ok: true,
    status: 200,
    ms: 4,
    error: "",
    sent,
    failed,
  });
  it("counts a rate from what was sent", () => {
    expect(
      rateOf([
        { at: 10, sent: 100 },
        { at: 15, sent: 120 },
      ]),
    ).toBe(4);
    expect(
      rateOf([
        { at: 10, sent: 100 },
        { at: 10.2, sent: 120 },
      ]),
    ).toBeNull();
    expect(
      rateOf([
        { at: 10, sent: 100 },
        { at: 15, sent: 3 },
      ]),
    ).toBeNull();
    expect(visitorsLine(probe(120, 2), 4)).toBe("4 req/s · 2 failed");
  });
  it("a request's way ends at the Service when several valves are open, and goes on when one is", () => {
    const several = drawn({ ...aShop(), "probe/front": probe(9, 0) });
    expect(
      visitorsView(several.world, several.drawing, null)?.routes.map((way) => way.points.length),
    ).toEqual([2]);
    const one = drawn({
      ...aShop(),
      "probe/front": probe(9, 0),
      "service/web": aService("web", { x: "ready" }),
    });
    expect(visitorsView(one.world, one.drawing, null)?.routes[0]?.points.at(-1)).toEqual([328, 230]);
  });
  it("a request's way ends at the Pod that answered, each as often as it did", () => {
    const items = {
      ...aShop(),
      "probe/front": { ...probe(9, 0), pod: "pod/4", pods: { "pod/x": 3, "pod/4": 1, "pod/gone": 2 } },
    };
    const { world, drawing } = drawn(items);
    const routes = visitorsView(world, drawing, null)?.routes ?? [];
    const valve = (key: string): number | undefined => drawing.anchors.get(key)?.x;
    expect(routes.map((way) => [way.points.at(-1)?.[0], way.share])).toEqual([
      [valve("pod/x"), 3],
      [valve("pod/4"), 1],
    ]);
  });
  it("no dot stands on what a plate says, and every leg of the way keeps some", () => {
    const one = drawn({
      ...aShop(),
      "probe/front": probe(9, 0),
      "service/web": aService("web", { x: "ready" }),
    });
    const view = visitorsView(one.world, one.drawing, null);
    const plate = one.drawing.pipes[0];
    expect(plate && view && isCovered(view.covers, [plate.plateX + 20, one.drawing.ship.D - 106])).toBe(true);
    expect(view && isCovered(view.covers, [one.drawing.ship.W - 176, one.drawing.ship.D - 106])).toBe(false);
    expect(view && isCovered(view.covers, view.routes[0]?.points.at(-1) ?? [0, 0])).toBe(false);
  });
  it("nothing sent is not a failure", () => {
    const { world, drawing } = drawn({ ...aShop(), "probe/front": { ...probe(0, 0), ok: false } });
    expect(visitorsView(world, drawing, null)).toMatchObject({
      ok: true,
      line: "no request yet",
      sentence: "Visitors: no request sent yet.",
    });
  });
  it("no plate without a probe", () => {
    const { world, drawing } = drawn(aShop());
    expect(visitorsView(world, drawing, null)).toBeNull();
  });
  it("lost requests stand at the valve of the Pod the fault took", () => {
    const world = readWorld({
      ...mock(),
      "fault/kill": { t: "fault", phase: "started", target: "pod/4", at: 1, needs: [], lost: 2 },
    });
    expect(lostViews(world, new Map([["pod/4", 565]]))).toMatchObject([
      { x: 565, count: 2, text: "2 requests lost" },
    ]);
    expect(lostViews(world, new Map())).toEqual([]);
  });
});

describe("midship section", () => {
  it("has a deck per node, Pods at 92 and 204, closed valves for those not ready", () => {
    const { drawing } = drawDecks(readWorld(mock()), 390, 404, new Map());
    expect(drawing.pods.map((pod) => pod.x)).toEqual([92, 92, 92, 204]);
    expect(drawing.branches.filter((branch) => branch.ready).map((branch) => branch.key)).toEqual([
      "pod/x",
      "pod/m",
    ]);
  });
});

describe("keys and directions", () => {
  const { world, drawing } = drawn(mock());
  it("arrows go along the grammar", () => {
    expect(neighbour("pod/x", "ArrowDown", world, drawing)).toBe("node/worker-1");
    expect(neighbour("pod/x", "ArrowRight", world, drawing)).toBe("pod/4");
    expect(neighbour("pod/m", "ArrowDown", world, drawing)).toBe("pod/h");
    expect(neighbour("pod/m", "o", world, drawing)).toBe("workload/rs");
    expect(neighbour("pod/h", "s", world, drawing)).toBe("service/web");
  });
  it("targets become keys", () => {
    expect(keysOf("pod:app=web", world)).toHaveLength(4);
    expect(keysOf("pod/web-7c9d8-h6wvd", world)).toEqual(["pod/h"]);
    expect(keysOf("node:*", world)).toHaveLength(3);
    expect(keysOf("service/web", world)).toEqual(["service/web"]);
    expect(keysOf("component/scheduler", world)).toEqual(["component/scheduler"]);
    expect(keysOf("deployment/web", world)).toEqual(["workload/dep"]);
  });
  it("a target that matches nothing says so", () => {
    const directions = directionsOf({ annotate: ["service/web: one name", "service/nobody: never"] });
    expect(notesOf(directions, world)).toEqual([
      { target: "web", text: "one name" },
      { target: "nobody", text: "not there yet" },
    ]);
  });
});
