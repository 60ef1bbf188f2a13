import { describe, expect, it } from "vitest";
import { aPod, aShop } from "../testing";
import { type Hop, hopSentence, placeOf, readyKeys, sinceWords, stateOfHop, unsaidOrder } from "./hops";
import { boxOf, numeralAt, roomsOf, wireOf } from "./rooms";

const hop = (n: number, actor: string, more: Partial<Hop> = {}): Hop => ({
  n,
  actor,
  text: `${actor} acted.`,
  evidence: "revision 8",
  at: 100 + n,
  seq: n,
  of: null,
  how: "observed",
  missing: null,
  ...more,
});

describe("where a hop stands", () => {
  const items = { ...aShop(), "pod/h": aPod("web-7c9d8-h6wvd", { node: "worker-3" }) };
  it("each actor has its room, and all controllers one", () => {
    const place = (actor: string, more: Partial<Hop> = {}): string => placeOf(hop(1, actor, more), items);
    expect(["student", "api-server", "etcd", "scheduler"].map((actor) => place(actor))).toEqual([
      "you",
      "api-server",
      "etcd",
      "scheduler",
    ]);
    expect(place("deployment-controller")).toBe("controller-manager");
    expect(place("replicaset-controller")).toBe("controller-manager");
    expect(place("endpointslice-controller", { stage: "endpoints" })).toBe("service");
  });
  it("kubelet and container are on the node of their Pod", () => {
    expect(placeOf(hop(1, "kubelet", { of: "pod/h" }), items)).toBe("kubelet/worker-3");
    expect(placeOf(hop(1, "container", { of: "pod/h" }), items)).toBe("pod/worker-3");
  });
});

describe("the answer in a recording", () => {
  const order = { id: "hops", answer: "order" as const };
  it("is kept back while an order is asked for and not open", () => {
    expect(unsaidOrder([order], () => false)).toBe("prediction/hops");
    expect(unsaidOrder([order], (key) => key === "prediction/other")).toBe("prediction/hops");
    expect(unsaidOrder([order], (key) => key === "prediction/hops")).toBeNull();
  });
  it("is no answer where nothing or something else is asked", () => {
    expect(unsaidOrder([], () => false)).toBeNull();
    expect(unsaidOrder([{ id: "who", answer: "choice" }], () => false)).toBeNull();
  });
});

describe("steps and time", () => {
  it("hops are drawn up to the step, and none that is later than the moment shown", () => {
    expect([1, 2, 3].map((n) => stateOfHop(hop(n, "etcd"), 2, 200))).toEqual(["seen", "now", "ahead"]);
    expect(stateOfHop(hop(2, "etcd"), 3, 101)).toBe("unborn");
  });
  it("time is said from the first hop; what no entry dates is about", () => {
    const first = hop(1, "student");
    expect(sinceWords(first, first)).toBe("0.00 s");
    expect(sinceWords(hop(2, "etcd", { at: 101.054 }), first)).toBe("+0.05 s");
    expect(sinceWords(hop(9, "probe", { at: 114.6 }), first)).toBe("+13.6 s");
    expect(sinceWords(hop(3, "x-controller", { at: 101.1, seq: null }), first)).toBe("≈ +0.10 s");
  });
  it("an inferred hop says so and what is missing", () => {
    const guess = hop(3, "replicaset-controller", {
      how: "inferred",
      missing: "It writes no log.",
      at: 101.1,
      seq: null,
    });
    expect(hopSentence(guess, hop(1, "student"))).toBe(
      "3. replicaset-controller acted. Inferred: revision 8. It writes no log. ≈ +0.10 s.",
    );
  });
  it("the chain may have changed when other Pods are ready", () => {
    expect(readyKeys(aShop())).toBe("pod/4 pod/m pod/x");
  });
});

describe("the rooms", () => {
  for (const [width, height] of [
    [708, 448],
    [366, 380],
    [1056, 700],
  ] as const) {
    const rooms = roomsOf(width, height, ["worker-1", "worker-2", "worker-3"]);
    it(`none lies over another and all are inside at ${width} x ${height}`, () => {
      const boxes = [
        rooms.you,
        rooms.api,
        rooms.etcd,
        rooms.controllers,
        rooms.scheduler,
        rooms.service,
        ...rooms.holds,
      ];
      for (const [i, a] of boxes.entries()) {
        expect(a.x >= 0 && a.x + a.w <= rooms.W && a.y >= 0 && a.y + a.h <= rooms.H).toBe(true);
        for (const b of boxes.slice(i + 1)) {
          expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
        }
      }
    });
    it(`every wire ends in the API server or with its own kubelet at ${width} x ${height}`, () => {
      for (const place of [
        "controller-manager",
        "scheduler",
        "service",
        "kubelet/worker-1",
        "kubelet/worker-3",
      ] as const) {
        const [, x, y] = /^M([\d.]+) ([\d.]+)/.exec(wireOf(rooms, place)) ?? [];
        expect(Number(x)).toBeGreaterThan(rooms.api.x);
        expect(Number(x)).toBeLessThan(rooms.api.x + rooms.api.w);
        expect(Number(y)).toBe(rooms.api.y + rooms.api.h);
      }
      expect(wireOf(rooms, "pod/worker-2")).toContain(`V${rooms.holds[1]?.pod.y}`);
    });
  }
  it("several numerals at one place stand side by side", () => {
    const rooms = roomsOf(708, 448, ["a"]);
    const box = boxOf(rooms, "controller-manager");
    if (!box) throw new Error("no room for the controllers");
    expect(numeralAt(rooms, box, 0).x - numeralAt(rooms, box, 1).x).toBe(25);
  });
  it("a numeral of a kubelet leaves its word free", () => {
    const rooms = roomsOf(366, 380, ["a", "b", "c"]);
    const plate = boxOf(rooms, "kubelet/b");
    if (!plate) throw new Error("no plate for the kubelet");
    const radius = 11;
    expect(numeralAt(rooms, plate, 1).y + radius).toBeLessThan(plate.y);
  });
});
