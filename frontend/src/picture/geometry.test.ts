import { describe, expect, it } from "vitest";
import { bilge, hull, midship, podsPerRow, scaleFor } from "./geometry";

describe("hull(1056, 500, 3), the ship of the lesson page", () => {
  const ship = hull(1056, 500, 3);
  it("has the five lines and the pitch of ship.md", () => {
    expect([ship.D, ship.K, ship.T, ship.WL, ship.x0, ship.x1, ship.p]).toEqual([
      204, 456, 424, 300, 250, 961, 237,
    ]);
  });
  it("has its bulkheads where the still has them", () => {
    expect(ship.bulkheads).toEqual([250, 487, 724, 961]);
    expect(ship.podY).toBe(236);
  });
  it("draws the centre line of the still", () => {
    expect(ship.line).toContain("M26 204 C26 320 42 350 87 392 L94 439 Q96.5 456 111 456 H930");
    expect(ship.line).toContain("L1026 184 H968 L961 204 Z");
  });
});

describe("other sizes", () => {
  it.each([
    [1, 711],
    [2, 355.5],
    [4, 177.8],
    [5, 150],
    [6, 150],
  ])("%i holds have pitch %d", (nodes, pitch) => {
    expect(Number(hull(1056, 500, nodes).p.toFixed(1))).toBe(pitch);
  });
  it("grows where holds would be narrower than 150", () => {
    expect(hull(1056, 500, 5).W).toBe(1095);
    expect(hull(1056, 500, 6).W).toBe(1245);
  });
  it("gives extra height 35 % to the air and the rest to the holds", () => {
    const tall = hull(1056, 700, 3);
    expect(tall.D).toBe(274);
    expect(tall.T - tall.D).toBe(350);
  });
  it("draws one hold when no node is known yet", () => {
    expect(hull(1056, 500, 0).bulkheads).toHaveLength(2);
  });
});

describe("scale", () => {
  it("is 1 on the lesson page, less where it is low, more on a large screen", () => {
    expect(scaleFor(1056, 500, 3)).toBe(1);
    expect(scaleFor(704, 360, 3)).toBe(0.75);
    expect(scaleFor(1400, 760, 3)).toBeCloseTo(1.326, 2);
    expect(scaleFor(3000, 2000, 3)).toBe(1.5);
    expect(scaleFor(1400, 500, 3)).toBe(1);
  });
});

describe("midship section", () => {
  it("stacks a deck per node and fills the height given", () => {
    const ship = midship(390, 404, [1, 1, 1]);
    expect(ship.decks).toHaveLength(3);
    expect(ship.H).toBe(404);
    expect(ship.decks[1]?.top).toBe((ship.decks[0]?.top ?? 0) + (ship.decks[0]?.height ?? 0));
  });
  it("gets higher, never flatter than a Pod, when rows are added", () => {
    const ship = midship(390, 404, [2, 1, 1]);
    expect(ship.H).toBeGreaterThan(404);
    expect(ship.decks.every((deck) => deck.height >= 86)).toBe(true);
  });
  it("knows where its side ends: straight down to the bilge, inwards from there", () => {
    const ship = midship(390, 404, [1, 1, 1]);
    expect(bilge(ship, ship.y0)).toBe(19);
    expect(bilge(ship, ship.yb - 75)).toBe(24);
    const heights = [74, 60, 40, 20, 5];
    const sides = heights.map((up) => bilge(ship, ship.yb - up));
    expect(sides).toEqual([...sides].sort((a, b) => a - b));
    expect(sides.at(-1)).toBeGreaterThan(45);
  });
  it("fits two Pods beside each other on a phone, one on the narrowest", () => {
    expect(podsPerRow(390)).toBe(2);
    expect(podsPerRow(320)).toBe(1);
  });
  it("makes room for the crane when a Pod hangs", () => {
    expect(midship(390, 404, [1], true).y0 - midship(390, 404, [1]).y0).toBe(92);
  });
});
