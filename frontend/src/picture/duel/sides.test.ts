import { describe, expect, it } from "vitest";
import type { AttemptItem } from "../../lib/protocol";
import { isFailing, partCount, readDuel, stoppedOn } from "./sides";
import { aHang, aPart, aProbe, bothShops, MI } from "./testing";

describe("what stands on which side", () => {
  it("the monolith is one part with everything inside; the services are a part each, in the order of a request", () => {
    const { monolith, micro } = readDuel(bothShops());
    expect(monolith.parts.map((part) => part.name)).toEqual(["monolith"]);
    expect(monolith.modules.map((module) => module.name)).toEqual([
      "storefront",
      "catalogue",
      "orders",
      "stock",
    ]);
    expect(micro.parts.map((part) => [part.name, part.answers, part.version])).toEqual([
      ["storefront", "yes", "1.0"],
      ["catalogue", "yes", "1.0"],
      ["orders", "yes", "1.0"],
      ["stock", "yes", "1.0"],
    ]);
    expect([partCount(monolith), partCount(micro)]).toEqual([4, 4]);
  });
  it("probes and loads go to their side: a load by where it is sent, not by its name", () => {
    const load = {
      t: "load",
      phase: "running",
      at: 1,
      until: 9,
      rate: 4,
      sent: 1,
      failed: 0,
      p95: 3,
      lost: 0,
      distinct: 1,
      last: null,
    } as const;
    const duel = readDuel(
      { ...bothShops(), "load/rush": load, "load/other": load },
      { rush: "monolith:80", other: "storefront:80" },
    );
    expect([duel.monolith.probe?.[0], duel.micro.probe?.[0]]).toEqual(["probe/mono", "probe/browse"]);
    expect([duel.monolith.load?.[0], duel.micro.load?.[0]]).toEqual(["load/rush", "load/other"]);
  });
  it("a part of which nothing is there is absent, not under water", () => {
    const duel = readDuel({});
    expect(duel.micro.parts.map((part) => part.answers)).toEqual(["absent", "absent", "absent", "absent"]);
    expect(partCount(duel.micro)).toBe(0);
    expect(stoppedOn(duel.monolith)).toEqual([]);
  });
  it("memory is the sum of what the Pods say, and unknown while none says anything", () => {
    const items = { ...bothShops(), "pod/stock": aPart("stock", "1.0", { mem: 7 * MI }) };
    const { micro } = readDuel(items);
    expect(micro.parts.map((part) => part.memory)).toEqual([null, null, null, 7 * MI]);
  });
  it("a Pod that serves is drawn before a newer one that does not yet", () => {
    const items = {
      ...bothShops(),
      "pod/new": aPart("storefront", "1.1", {
        ok: false,
        ready: "0/1",
        status: "ContainerCreating",
        created: 200,
      }),
    };
    const front = readDuel(items).micro.parts[0];
    expect([front?.shown?.[0], front?.pods.length, front?.answers]).toEqual(["pod/storefront", 2, "yes"]);
  });
});

describe("water: a part that serves nothing", () => {
  it("a hang on stock floods one of four and, once visitors get no answer, the whole monolith", () => {
    const items = { ...bothShops(), "fault/stock-down": aHang() };
    expect(stoppedOn(readDuel(items).micro)).toEqual(["stock"]);
    const still = { ...items, "probe/mono": aProbe(4) };
    expect(stoppedOn(readDuel(still).monolith)).toEqual([]);
    const asked = { ...items, "probe/mono": aProbe(8, 4, { ok: false, error: "timed out" }) };
    expect(stoppedOn(readDuel(asked).monolith)).toEqual(["storefront", "catalogue", "orders", "stock"]);
    expect(
      readDuel(asked)
        .monolith.modules.filter((module) => module.hit)
        .map((module) => module.name),
    ).toEqual(["stock"]);
  });
  it("a slow answer is an answer, and a fault that is over stops nothing", () => {
    const slow = { ...bothShops(), "fault/slow": aHang({ how: "delay" }) };
    const over = { ...bothShops(), "fault/stock-down": aHang({ phase: "reverted" }) };
    expect(stoppedOn(readDuel(slow).micro)).toEqual([]);
    expect(stoppedOn(readDuel(over).micro)).toEqual([]);
  });
  it("a storefront that no visitor gets an answer from is under water though its Pod is ready", () => {
    const items = { ...bothShops(), "probe/browse": aProbe(8, 4, { ok: false, error: "timed out: stock" }) };
    expect(stoppedOn(readDuel(items).micro)).toEqual(["storefront"]);
  });
  it("when the try is over nobody asks: the last failed request keeps no ready Pod under water", () => {
    const attempt: AttemptItem = {
      t: "attempt",
      n: 1,
      state: "marked",
      started: 100,
      until: null,
      points: 9,
      of: 9,
      text: "",
    };
    const items = { ...bothShops(), "probe/mono": aProbe(8, 4, { ok: false, error: "timed out" }) };
    expect(stoppedOn(readDuel(items).monolith)).toHaveLength(4);
    const over = readDuel({ ...items, "attempt/now": attempt });
    expect(stoppedOn(over.monolith)).toEqual([]);
    expect([isFailing(readDuel(items).monolith), isFailing(over.monolith)]).toEqual([true, false]);
  });
  it("a part whose Service has no Pod left does not answer", () => {
    const { "pod/orders": _gone, ...rest } = bothShops();
    expect(stoppedOn(readDuel(rest).micro)).toEqual(["orders"]);
  });
  it("a second copy that does not hang keeps its part dry", () => {
    const items = { ...bothShops(), "pod/stock2": aPart("stock"), "fault/stock-down": aHang() };
    expect(stoppedOn(readDuel(items).micro)).toEqual([]);
  });
});
