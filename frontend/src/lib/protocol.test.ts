import { describe, expect, it } from "vitest";
import {
  backOff,
  type DeltaFrame,
  FINAL_CLOSES,
  foldTo,
  framesUntil,
  freshness,
  type Items,
  judge,
  merge,
} from "./protocol";

const pod = (name: string, ok = false) => ({ t: "pod", name, ok }) as unknown as Items[string];
const mine = { epoch: 3, seq: 812 };

describe("L1 L3: the next entry", () => {
  it("L3 a delta of the next seq is merged", () => {
    expect(judge(mine, { epoch: 3, seq: 813 })).toBe("merge");
  });
  it("L1 a coalesced frame is judged by its first entry", () => {
    expect(judge(mine, { epoch: 3, from: 813, seq: 820 })).toBe("merge");
    expect(judge(mine, { epoch: 3, from: 814, seq: 820 })).toBe("gap");
  });
});

describe("L2: merging", () => {
  it("L2 fields in set replace fields, others stay", () => {
    const items: Items = { "pod/a": pod("a") };
    merge(items, { set: { "pod/a": { ok: true } } });
    expect(items["pod/a"]).toEqual({ t: "pod", name: "a", ok: true });
  });
  it("L2 keys in del go, also unknown ones", () => {
    const items: Items = { "pod/a": pod("a"), "pod/b": pod("b") };
    merge(items, { del: ["pod/a", "pod/never-seen"] });
    expect(Object.keys(items)).toEqual(["pod/b"]);
  });
  it("L2 a key deleted and set again in one frame starts anew", () => {
    const items: Items = { "pod/a": pod("a", true) };
    merge(items, { del: ["pod/a"], set: { "pod/a": { t: "pod", name: "a" } } });
    expect(items["pod/a"]).toEqual({ t: "pod", name: "a" });
  });
  it("L2 one by one or over any range gives the same items", () => {
    const start = { f: "snapshot" as const, epoch: 3, seq: 1, at: 0, items: { "pod/a": pod("a") } };
    const frames: DeltaFrame[] = [
      { f: "delta", epoch: 3, seq: 2, at: 1, set: { "pod/a": { ok: true } } },
      { f: "delta", epoch: 3, seq: 3, at: 2, set: { "pod/b": { t: "pod", name: "b" } } },
      { f: "delta", epoch: 3, seq: 4, at: 3, del: ["pod/a"] },
    ];
    const step: Items = structuredClone(start.items);
    for (const [i, frame] of frames.entries()) {
      merge(step, frame);
      expect(foldTo({ start, frames }, i + 1)).toEqual(step);
    }
    expect(start.items).toEqual({ "pod/a": pod("a") });
  });
});

describe("L4 L5: what is not merged", () => {
  it("L4 an old or repeated seq is ignored", () => {
    expect(judge(mine, { epoch: 3, seq: 812 })).toBe("ignore");
    expect(judge(mine, { epoch: 3, seq: 5 })).toBe("ignore");
  });
  it("L4 a coalesced frame wholly in the past is ignored", () => {
    expect(judge(mine, { epoch: 3, from: 800, seq: 812 })).toBe("ignore");
  });
  it("L5 a jump forward is a gap", () => {
    expect(judge(mine, { epoch: 3, seq: 814 })).toBe("gap");
  });
  it("L5 a frame that overlaps my seq is a gap", () => {
    expect(judge(mine, { epoch: 3, from: 812, seq: 815 })).toBe("gap");
  });
  it("L5 L11 another epoch is a gap, whatever its seq", () => {
    expect(judge(mine, { epoch: 4, seq: 813 })).toBe("gap");
    expect(judge(mine, { epoch: 2, seq: 1 })).toBe("gap");
  });
});

describe("L9 L10: coming back, and how fresh", () => {
  it("L9 waits 0.25 s doubling to 5 s, with jitter", () => {
    const middle = [1, 2, 3, 4, 5, 6, 9].map((n) => backOff(n, () => 0.5));
    expect(middle).toEqual([0.25, 0.5, 1, 2, 4, 5, 5]);
    expect(backOff(1, () => 0)).toBeLessThan(backOff(1, () => 1));
  });
  it("L9 four codes are final", () => {
    expect([...FINAL_CLOSES.keys()]).toEqual([4001, 4003, 4004, 4010]);
  });
  it("L10 silence of 6 s is late, 10 s stale; behind over 2 s is late", () => {
    expect(freshness(1, 0.2, null)).toBe("live");
    expect(freshness(6, 0.2, null)).toBe("late");
    expect(freshness(1, 2.1, null)).toBe("late");
    expect(freshness(10, 0.2, null)).toBe("stale");
    expect(freshness(1, 0.2, 1764000000)).toBe("stale");
  });
});

describe("section 3: history", () => {
  it("finds the frames up to a moment", () => {
    const frames = [{ at: 1 }, { at: 2 }, { at: 2 }, { at: 5 }];
    expect(framesUntil(frames, 0)).toBe(0);
    expect(framesUntil(frames, 2)).toBe(3);
    expect(framesUntil(frames, 9)).toBe(4);
  });
});
