import { describe, expect, it } from "vitest";
import { clampSize, SPLITTERS } from "./splitters";

const shell = { width: 1440, height: 852 } as DOMRect;
const named = (name: string) => {
  const found = SPLITTERS.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("the lines between the panes", () => {
  it("leave the picture half of the height", () => {
    expect(clampSize(named("picture"), 100, shell)).toBe(426);
    expect(clampSize(named("picture"), 600, shell)).toBe(600);
  });
  it("leave the workbench room to type", () => {
    expect(clampSize(named("picture"), 2000, shell)).toBe(852 - 56 - 120);
  });
  it("keep the lesson readable and the picture the larger one", () => {
    expect(clampSize(named("lesson"), 10, shell)).toBe(300);
    expect(clampSize(named("lesson"), 1400, shell)).toBe(648);
    expect(clampSize(named("checks"), 1400, shell)).toBe(576);
  });
});
