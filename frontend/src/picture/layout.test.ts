import { describe, expect, it } from "vitest";
import { type Berths, berth, modeOf, placeInHold, roomOf, roomOfDeck } from "./layout";
import { aPod } from "./testing";
import type { PodItem } from "./world";

const room = roomOf(237);
const aboard = (...names: string[]): [string, PodItem][] => names.map((name) => [`pod/${name}`, aPod(name)]);
const slots = (berths: Berths) =>
  Object.fromEntries([...berths].map(([key, { slot }]) => [key.slice(4), slot]));

describe("berths", () => {
  it("a Pod keeps its slot until it is gone, the new one takes the first free slot", () => {
    let berths = berth(new Map(), aboard("a", "b"), room);
    expect(slots(berths)).toEqual({ a: 0, b: 1 });
    berths = berth(berths, aboard("b"), room);
    expect(slots(berths)).toEqual({ b: 1 });
    berths = berth(berths, aboard("b", "c"), room);
    expect(slots(berths)).toEqual({ b: 1, c: 0 });
  });
  it("a Pod without a node has no berth", () => {
    expect(berth(new Map(), [["pod/a", aPod("a", { node: "" })]], room).size).toBe(0);
  });
  it("a Pod that is bound to another hold (same key) is berthed anew", () => {
    const first = berth(new Map(), [["pod/a", aPod("a", { node: "" })]], room);
    expect(berth(first, [["pod/a", aPod("a", { node: "worker-3" })]], room).get("pod/a")).toEqual({
      hold: "worker-3",
      slot: 0,
    });
  });
  it("nobody moves when the hold overflows into half size", () => {
    const before = berth(new Map(), aboard("a", "b"), room);
    const after = berth(before, aboard("a", "b", "c"), room);
    expect([slots(after).a, slots(after).b]).toEqual([0, 1]);
    expect(placeInHold(0, 3, 2, room).x).toBe(31);
    expect(Math.abs(placeInHold(1, 3, 2, room).x - placeInHold(1, 2, 1, room).x)).toBeLessThanOrEqual(3);
  });
  it("when a full hold empties, those left fit in full size again", () => {
    const full = berth(new Map(), aboard("a", "b", "c", "d"), room);
    expect(slots(berth(full, aboard("c", "d"), room))).toEqual({ c: 0, d: 1 });
  });
});

describe("overflow", () => {
  it("two full, then eight half, then a stack at pitch 237", () => {
    expect([1, 2, 3, 8, 9].map((n) => modeOf(n, room))).toEqual(["full", "full", "half", "half", "stack"]);
  });
  it("one full and two half at pitch 212", () => {
    const narrow = roomOf(212);
    expect([narrow.full, narrow.mixed]).toEqual([1, 3]);
    expect(placeInHold(1, 3, 2, narrow)).toEqual({ x: 130, y: 0, size: "half", column: "f1" });
    expect(placeInHold(2, 3, 2, narrow)).toEqual({ x: 130, y: 72, size: "half", column: "f1" });
  });
  it("one full at pitch 150", () => {
    expect(roomOf(150)).toMatchObject({ full: 1, mixed: 1 });
  });
  it("half-size Pods never share a place and stay in the hold", () => {
    for (const p of [150, 178, 212, 237, 355, 711]) {
      const hold = roomOf(p);
      const places = Array.from({ length: hold.half }, (_, slot) =>
        placeInHold(slot, hold.half, hold.half - 1, hold),
      );
      expect(new Set(places.map(({ x, y }) => `${x},${y}`)).size).toBe(hold.half);
      expect(Math.max(...places.map(({ x }) => x)) + 46).toBeLessThanOrEqual(p - 4);
    }
  });
  it("a deck has three rows, then a stack", () => {
    const deck = roomOfDeck(2);
    expect([6, 7].map((n) => modeOf(n, deck))).toEqual(["full", "stack"]);
  });
});
