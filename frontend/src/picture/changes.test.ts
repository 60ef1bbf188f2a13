import { describe, expect, it } from "vitest";
import { Announcer, changesBetween } from "./changes";
import { Stream } from "./stream";
import { aPod, aShop } from "./testing";
import { type FaultItem, readWorld } from "./world";

const texts = (
  before: Parameters<typeof readWorld>[0],
  after: Parameters<typeof readWorld>[0],
  at = 200,
): string[] => changesBetween(readWorld(before), readWorld(after), at).map((change) => change.text);
const pending = { "pod/h": aPod("web-7c9d8-h6wvd", { node: "", status: "Pending", ok: false }) };

describe("changes as sentences", () => {
  it("created, bound, ready, gone", () => {
    const creating = { "pod/h": { ...pending["pod/h"], node: "worker-3", status: "ContainerCreating" } };
    const ready = { "pod/h": { ...creating["pod/h"], status: "Running", ok: true } };
    expect(texts(aShop(), { ...aShop(), ...pending })).toEqual(["Pod h6wvd was created: Pending."]);
    expect(texts({ ...aShop(), ...pending }, { ...aShop(), ...creating })).toEqual([
      "Pod h6wvd was bound to worker-3.",
    ]);
    expect(texts({ ...aShop(), ...creating }, { ...aShop(), ...ready })).toEqual([
      "Pod h6wvd became Ready on worker-3.",
    ]);
    expect(texts({ ...aShop(), ...ready }, aShop())).toEqual(["Pod h6wvd is gone."]);
  });
  it("names the time since the kill", () => {
    const fault = {
      "fault/kill": {
        t: "fault" as const,
        phase: "ended" as const,
        target: null,
        at: 186.4,
        needs: [],
        lost: 0,
      },
    };
    const before = {
      ...aShop(),
      ...fault,
      "pod/x": aPod("web-7c9d8-x2k9p", { ok: false, node: "worker-3" }),
    };
    const after = { ...before, "pod/x": aPod("web-7c9d8-x2k9p", { node: "worker-3" }) };
    expect(texts(before, after)).toEqual(["Pod x2k9p became Ready on worker-3, 13.6 s after the kill."]);
  });
  it("nothing changed, nothing said", () => {
    expect(texts(aShop(), aShop())).toEqual([]);
  });
});

describe("the announcer", () => {
  it("says one sentence per 3 s and the rest as a burst", () => {
    const announcer = new Announcer();
    announcer.add([{ kind: "created", text: "one" }], 0);
    expect(announcer.next(0)).toEqual({ text: "one", urgent: false });
    announcer.add(
      [
        { kind: "deleted", text: "a" },
        { kind: "created", text: "b" },
        { kind: "bound", text: "c" },
      ],
      1,
    );
    expect(announcer.next(2)).toBeNull();
    expect(announcer.next(3)?.text).toBe("3 changes in 2 s: 1 Pod deleted, 1 created, 1 bound.");
    expect(announcer.next(9)).toBeNull();
  });
  it("says a fault at once", () => {
    const announcer = new Announcer();
    announcer.add([{ kind: "changed", text: "a" }], 0);
    announcer.next(0);
    announcer.add([{ kind: "fault", text: "Fault started.", urgent: true }], 1);
    expect(announcer.next(1)).toEqual({ text: "Fault started.", urgent: true });
  });
});

describe("a fault in words", () => {
  const fault: FaultItem = {
    t: "fault",
    phase: "started",
    target: "pod/4",
    at: 110,
    began: 110,
    needs: [],
    lost: 0,
  };
  const started = (more: object): string[] =>
    changesBetween(readWorld(aShop()), readWorld({ ...aShop(), "fault/f": { ...fault, ...more } }), 110).map(
      (change) => change.text,
    );
  it("a kill deletes its Pod; any other does what it says", () => {
    expect(started({ kind: "kill-pod" })).toEqual(["Fault started: Pod 4tq7m is being deleted."]);
    expect(started({ kind: "slow-app", how: "hang", text: "web hangs until +20 s" })).toEqual([
      "Fault started: web hangs until +20 s.",
    ]);
  });
  it("time is counted from where it began, whatever phase it is in", () => {
    const after = readWorld({
      ...aShop(),
      "pod/4": { ...aShop()["pod/4"], ok: false, status: "Running" } as never,
      "fault/f": { ...fault, kind: "slow-app", phase: "ended", at: 130 },
    });
    const before = readWorld({ ...aShop(), "fault/f": { ...fault, kind: "slow-app" } });
    expect(changesBetween(before, after, 131).map((change) => change.text)).toEqual([
      "Pod 4tq7m is no longer Ready: Running, 21.0 s after the fault began.",
    ]);
  });
});

describe("requests in flight", () => {
  it("never more than 24 dots, and says what one stands for", () => {
    const stream = new Stream();
    expect(stream.add(10, 0)).toBe(1);
    expect(stream.add(140, 0)).toBe(10);
    expect(stream.waysAt(100_000, [1e9])).toHaveLength(24);
  });
  it("a dot runs 180 px a second and is forgotten at the end", () => {
    const stream = new Stream();
    stream.add(1, 1000);
    expect(stream.waysAt(1500, [200])).toEqual([{ lane: 0, way: 90 }]);
    expect(stream.waysAt(3000, [200])).toEqual([]);
    expect(stream.waits).toBe(false);
  });
  it("dots are dealt to the Pods as their answers were", () => {
    const stream = new Stream();
    stream.add(8, 0, [3, 1]);
    const lanes = stream.waysAt(1e6, [1e9, 1e9]).map(({ lane }) => lane);
    expect(lanes.filter((lane) => lane === 0)).toHaveLength(6);
    expect(lanes.filter((lane) => lane === 1)).toHaveLength(2);
  });
});
