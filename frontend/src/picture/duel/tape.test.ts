import { describe, expect, it } from "vitest";
import type { DeltaFrame, SnapshotFrame } from "../../lib/protocol";
import { gapsOf, lineOf, sumsOf } from "./measures";
import { readDuel } from "./sides";
import { Tape } from "./tape";
import { aHang, aPart, bothShops, MI } from "./testing";
import { blastLine, duelTwin, measuredLine } from "./words";

const start = (at = 100): SnapshotFrame => ({ f: "snapshot", epoch: 1, seq: 1, at, items: bothShops() });
let seq = 1;
const delta = (at: number, set: Record<string, object>, del: string[] = []): DeltaFrame => ({
  f: "delta",
  epoch: 1,
  seq: ++seq,
  at,
  set: set as Record<string, Record<string, unknown>>,
  del,
});
const tapeOf = (...frames: (SnapshotFrame | DeltaFrame)[]): Tape => {
  const tape = new Tape();
  for (const frame of frames) tape.add(frame);
  return tape;
};
const second = (at: number, n: number, failed = 0, more = {}): DeltaFrame =>
  delta(at, { "probe/browse": { sent: 4 * n, failed, ...more } });

describe("traffic", () => {
  it("a point for each summary, at its own time, with what came since the one before", () => {
    const tape = tapeOf(
      start(),
      second(101, 1, 0, { p95: 9 }),
      second(102.02, 2, 3, { p95: 11 }),
      second(103, 3, 7, { p95: 80 }),
    );
    expect(tape.sides.micro.traffic).toEqual([
      { at: 101, sent: 4, failed: 0, p95: 9 },
      { at: 102.02, sent: 4, failed: 3, p95: 11 },
      { at: 103, sent: 4, failed: 4, p95: null },
    ]);
    expect(tape.sides.monolith.traffic).toEqual([]);
  });
  it("the same frame twice, or an old one, changes nothing", () => {
    const one = second(101, 1);
    const tape = tapeOf(start(), one, one, { ...second(99, 9), seq: 1 });
    expect(tape.sides.micro.traffic).toHaveLength(1);
  });
  it("a new attempt counts from nought", () => {
    const tape = tapeOf(
      start(),
      second(101, 5),
      delta(102, {}, ["probe/browse"]),
      delta(103, { "probe/browse": { t: "probe", ok: true, sent: 4, failed: 1 } }),
    );
    expect(tape.sides.micro.traffic.map((point) => [point.sent, point.failed])).toEqual([
      [20, 0],
      [4, 1],
    ]);
  });
  it("while a load runs it speaks for its side", () => {
    const tape = new Tape({ rush: "monolith:80" });
    const load = {
      t: "load",
      phase: "running",
      at: 101,
      rate: 30,
      sent: 30,
      failed: 3,
      last: { sent: 30, failed: 3, p95: 240 },
    };
    for (const frame of [
      start(),
      delta(101, { "load/rush": load }),
      delta(101.1, { "probe/mono": { sent: 4 } }),
    ])
      tape.add(frame);
    expect(tape.sides.monolith.traffic).toEqual([{ at: 101, sent: 30, failed: 3, p95: 240 }]);
  });
  it("nothing is drawn between two points that lie too far apart", () => {
    const tape = tapeOf(start(), second(101, 1), second(102, 2), second(112, 3));
    const [times, values] = lineOf("failed", tape.sides.micro, [], [100, 190], 112);
    expect(values).toEqual([0, 0, null, 0]);
    expect(times[2]).toBeGreaterThan(102);
    expect(gapsOf("failed", tape.sides.micro, [100, 190], 112)).toEqual([
      { from: 102, to: 112, words: "no requests", short: "no requests" },
    ]);
  });
  it("seconds without any reply are a gap with words, never a zero", () => {
    const frames = [1, 2, 3, 4, 5, 6].map((n) =>
      second(100 + n, n, n > 2 ? 4 * (n - 2) : 0, { p95: n > 2 ? null : 8 }),
    );
    const tape = tapeOf(start(), ...frames);
    expect(lineOf("latency", tape.sides.micro, [], [100, 190], 106)[1]).toEqual([
      8,
      8,
      null,
      null,
      null,
      null,
    ]);
    expect(gapsOf("latency", tape.sides.micro, [100, 190], 106)).toEqual([
      { from: 103, to: 106, words: "no replies to time", short: "no replies" },
    ]);
    expect(sumsOf(tape.sides.micro, 100, 106)).toMatchObject({ silent: 4, failing: 0, share: 16 / 24 });
  });
});

describe("memory and releases", () => {
  it("memory is the sum of a side from each change on, and goes with its Pod", () => {
    const tape = tapeOf(
      start(),
      delta(101, { "pod/stock": { mem: 7 * MI } }),
      delta(103, { "pod/orders": { mem: 12 * MI } }),
      delta(105, {}, ["pod/stock"]),
    );
    expect(tape.sides.micro.memory).toEqual([
      { at: 101, bytes: 7 * MI },
      { at: 103, bytes: 19 * MI },
      { at: 105, bytes: 12 * MI },
    ]);
    expect(lineOf("memory", tape.sides.micro, [], [100, 190], 110)).toEqual([
      [101, 103, 103, 105, 105, 110],
      [7, 7, 19, 19, 12, 12],
    ]);
    expect(sumsOf(tape.sides.micro, 100, 110).peak).toBe(19 * MI);
  });
  it("a release is when a Pod of another version serves, once, also while the old one still does", () => {
    const tape = tapeOf(
      start(),
      delta(110, { "pod/new": aPart("storefront", "1.1", { ok: false }) }),
      delta(112, { "pod/new": { ok: true } }),
      delta(113, { "pod/storefront": { restarts: 1 } }),
      delta(114, {}, ["pod/storefront"]),
      delta(120, { "pod/back": aPart("storefront", "1.0") }),
    );
    expect(tape.sides.micro.releases).toEqual([
      { at: 112, app: "storefront", version: "1.1" },
      { at: 120, app: "storefront", version: "1.0" },
    ]);
    expect(tape.sides.monolith.releases).toEqual([]);
  });
});

describe("a fault and its blast radius", () => {
  const tape = tapeOf(
    start(),
    delta(110, { "fault/stock-down": aHang() }),
    delta(112, { "probe/mono": { ok: false, sent: 4, failed: 4, error: "timed out" } }),
    delta(113, { "probe/browse": { sent: 12, failed: 0 } }),
    delta(130, { "fault/stock-down": { phase: "reverted", at: 130 } }),
    delta(131, { "probe/mono": { ok: true, sent: 8, failed: 4 } }),
  );
  const run = tape.faults[0];

  it("knows when it began and ended, and what it was done to", () => {
    expect(run).toMatchObject({ id: "stock-down", from: 110, to: 130, apps: ["stock", "monolith"] });
  });
  it("counts what did not answer while it ran", () => {
    expect(run && [...run.stopped.micro]).toEqual(["stock"]);
    expect(run && [...run.stopped.monolith]).toEqual(["storefront", "catalogue", "orders", "stock"]);
  });
  it("says it in one line on each side", () => {
    const duel = readDuel({ ...bothShops(), "fault/stock-down": aHang() });
    if (!run) throw new Error("no fault on the tape");
    const line = (side: "monolith" | "micro"): string => blastLine(run, duel[side], tape.sides[side], 131);
    expect(line("monolith")).toBe("stock stopped: all 4 parts stop answering");
    expect(line("micro")).toBe("stock stopped: 1 of 4 parts stops, browsing answers");
    const silent = {
      ...tape.sides.micro,
      traffic: [112, 113, 140].map((at) => ({ at, sent: 4, failed: at < 130 ? 4 : 0, p95: null })),
    };
    expect(blastLine(run, duel.micro, silent, 150)).toBe(
      "stock stopped: 1 of 4 parts stops, browsing stops too",
    );
  });
  it("a fault done again is another run", () => {
    const again = tapeOf(
      start(),
      delta(110, { "fault/k": aHang() }),
      delta(115, { "fault/k": { phase: "reverted", at: 115 } }),
      delta(140, { "fault/k": { phase: "started", at: 140, began: 140 } }),
    );
    expect(again.faults.map((one) => [one.from, one.to])).toEqual([
      [110, 115],
      [140, null],
    ]);
  });
  it("the text twin has both sides with their blast radius and sums", () => {
    const twin = duelTwin(readDuel(bothShops()), tape, bothShops(), 131);
    const texts = twin.children.flatMap((side) => [side.text, ...side.children.map((child) => child.text)]);
    expect(texts).toContain("Monolith: one program, one Pod.");
    expect(texts).toContain("Microservices: four programs, four Pods.");
    expect(texts).toContain("stock stopped: all 4 parts stop answering.");
    expect(texts).toContain("1 s without any answer since stock stopped; memory not measured.");
    expect(texts).toContain("Measured: replies not timed, 0 % failed, memory not measured.");
  });
  it("the text twin says where the lines are at the moment shown", () => {
    const side = {
      traffic: [
        { at: 100, sent: 4, failed: 1, p95: 33.6 },
        { at: 101, sent: 4, failed: 4, p95: null },
      ],
      memory: [{ at: 90, bytes: 47 * MI }],
      releases: [],
    };
    expect(measuredLine(side, 100.5)).toBe("p95 latency 34 ms, 25 % failed, memory 47 MiB");
    expect(measuredLine(side, 102)).toBe("no replies to time, 100 % failed, memory 47 MiB");
    expect(measuredLine(side, 120)).toBe("no requests, memory 47 MiB");
  });
});

it("a record that begins anew is a break, and counts nothing twice", () => {
  const tape = tapeOf(start(), second(101, 3), {
    ...start(200),
    epoch: 2,
    seq: 40,
    items: { ...bothShops() },
  });
  expect(tape.breaks).toEqual([200]);
  expect(tape.sides.micro.traffic).toHaveLength(1);
});
