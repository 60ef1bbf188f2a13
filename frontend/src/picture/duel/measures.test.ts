import { describe, expect, it } from "vitest";
import { leastHeight, pipeTo, smallHull } from "./hull";
import { ticksOf, tickWords, topOf, windowOf, zeroOf } from "./measures";

describe("time on the charts", () => {
  it("a young record has the whole window before it, an old one its last ninety seconds", () => {
    expect(windowOf(100, 130, 130)).toEqual([100, 190]);
    expect(windowOf(100, 400, 400)).toEqual([320, 410]);
  });
  it("the window goes with the playhead when that lies further back", () => {
    expect(windowOf(100, 400, 330)).toEqual([320, 410]);
    expect(windowOf(100, 400, 200)).toEqual([155, 245]);
    expect(windowOf(100, 400, 101)).toEqual([100, 190]);
  });
  it("seconds count from the fault on the screen, else from the beginning", () => {
    const fault = { from: 142, to: null } as never;
    expect(zeroOf({ faults: [fault], first: 100 }, [100, 190])).toBe(142);
    expect(zeroOf({ faults: [fault], first: 100 }, [300, 390])).toBe(100);
    expect(ticksOf([100, 190], 142).map((at) => tickWords(at, 142))).toEqual([
      "−30 s",
      "−15 s",
      "0 s",
      "+15 s",
      "+30 s",
      "+45 s",
    ]);
  });
  it("scales end at a round number whose half is round", () => {
    expect([
      topOf([96], 100),
      topOf([131], 100),
      topOf([null, 430], 100),
      topOf([18, 61], 40),
      topOf([], 40),
    ]).toEqual([100, 200, 500, 100, 40]);
  });
});

describe("the small hull", () => {
  it("fits its width and is never lower than its parts need", () => {
    for (const width of [366, 528, 720]) {
      const ship = smallHull(width, 0);
      expect(ship.H).toBe(leastHeight(width));
      expect(ship.x1 - ship.x0).toBeGreaterThan(0.74 * width);
      expect(ship.plate.x + ship.plate.w).toBeLessThanOrEqual(width);
    }
  });
  it("a closed leg ends before its valve", () => {
    const ship = smallHull(528, 0);
    expect(pipeTo(ship, [{ x: 100, open: false }], 400, 36)).toBe(`M100 ${ship.D - 26}V50H400V36`);
    expect(pipeTo(ship, [], 400, 36)).toBe("");
  });
});
