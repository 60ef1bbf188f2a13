import { describe, expect, it } from "vitest";
import { faultLabel } from "./faults";
import { loadTitle, loadWords, ratesOf } from "./loads";
import type { LoadData } from "./page";
import type { LoadItem } from "./protocol";

const load: LoadData = {
  id: "rush",
  rate: 12,
  for: 60,
  script: "browse",
  target: "storefront:80",
  by: "student",
  rates: [24, 4],
};
const item = (more: Partial<LoadItem>): LoadItem => ({
  t: "load",
  phase: "running",
  at: 100,
  until: 160,
  rate: 12,
  sent: 163,
  failed: 2,
  p95: 12,
  lost: 0,
  distinct: 3,
  last: null,
  ...more,
});

describe("a load in words", () => {
  it("names its script and where it goes", () => {
    expect(loadTitle(load)).toBe("Customers browse at storefront:80");
    expect(loadTitle({ ...load, script: "", target: "storefront:80/items" })).toBe(
      "Requests to storefront:80/items",
    );
  });
  it("offers its own rate among the others, slowest first", () => {
    expect(ratesOf(load)).toEqual([4, 12, 24]);
    expect(ratesOf({ ...load, rates: [] })).toEqual([12]);
  });
  it("counts down and tells what was sent, failed and lost", () => {
    expect(loadWords(item({}), load, 118.5)).toBe("42 s left. 163 sent, 2 failed.");
    expect(loadWords(item({ until: 110 }), load, 118.5)).toBe("0 s left. 163 sent, 2 failed.");
    expect(loadWords(item({ phase: "ended", lost: 1 }), load, 200)).toBe(
      "Ended. 163 sent, 2 failed, 1 answer lost.",
    );
  });
  it("says before the start how long it will be", () => {
    expect(loadWords(null, load, 0)).toMatch(/^Runs 60 s/);
    expect(loadWords(item({ phase: "idle" }), load, 0)).toMatch(/^Runs 60 s/);
  });
});

describe("a fault's button", () => {
  it("speaks of the kind, and of another time once it ran", () => {
    expect(faultLabel("kill-pod", null, false)).toBe("Delete one Pod");
    expect(faultLabel("kill-pod", null, true)).toBe("Delete another Pod");
    expect(faultLabel("slow-app", "hang", false)).toBe("Make it hang");
    expect(faultLabel("slow-app", "spin", true)).toBe("Burn its CPU again");
    expect(faultLabel("kill-container", "oom", false)).toBe("Kill a container");
    expect(faultLabel("new-kind", null, false)).toBe("Start: new-kind");
    expect(faultLabel("new-kind", null, true)).toBe("Do it again");
  });
});
