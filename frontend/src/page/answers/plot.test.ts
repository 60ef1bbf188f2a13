import { describe, expect, it } from "vitest";
import { columnAt, type Plot, pathOf, valueAt, xOf, yOf } from "./plot";

const plot: Plot = { width: 300, height: 150, left: 30, bottom: 22, n: 3, end: 100 };

describe("a drawn curve", () => {
  it("finds the column and the value of each point again", () => {
    for (const [i, value] of [0, 48, 100].entries()) {
      expect(columnAt(plot, xOf(plot, i))).toBe(i);
      expect(valueAt(plot, yOf(plot, value))).toBe(value);
    }
  });
  it("keeps a finger beside the chart inside of it", () => {
    expect(columnAt(plot, -50)).toBe(0);
    expect(columnAt(plot, 900)).toBe(2);
    expect(valueAt(plot, -50)).toBe(100);
    expect(valueAt(plot, 900)).toBe(0);
  });
  it("means round values: a fiftieth of the axis", () => {
    expect(valueAt(plot, yOf(plot, 32.7))).toBe(32);
    expect(valueAt({ ...plot, end: 2 }, yOf({ ...plot, end: 2 }, 0.61))).toBe(0.6);
  });
  it("breaks the line where a value is missing", () => {
    expect(pathOf(plot, [0, null, 100])).toBe("M75 128M255 8");
    expect(pathOf(plot, [0, 100, null])).toBe("M75 128L165 8");
    expect(pathOf(plot, [])).toBe("");
  });
});
