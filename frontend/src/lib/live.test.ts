import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Live } from "./live.svelte";
import type { PageData } from "./page";
import type { Items } from "./protocol";

class FakeSocket {
  static OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 1;
  sent: string[] = [];
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  get last(): unknown {
    return JSON.parse(this.sent.at(-1) ?? "null");
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

const node = { t: "node", name: "worker-1", ready: "True", cordoned: false, mem: 1, req: 0 } as const;
const snapshot = (seq: number, items: Record<string, unknown> = { "node/worker-1": node }, epoch = 3) => ({
  f: "snapshot",
  epoch,
  seq,
  at: 100,
  items,
});
const delta = (seq: number, name: string, epoch = 3) => ({
  f: "delta",
  epoch,
  seq,
  at: 100 + seq,
  set: { [`object/${name}`]: { t: "object", kind: "ConfigMap", name } },
});

function page(changes: Partial<PageData> = {}): PageData {
  return {
    course: { slug: "c", title: "C", href: "/" },
    lesson: { slug: "l", title: "L", minutes: 1, hash: "h", n: 14 },
    steps: [],
    exercise: null,
    params: {},
    me: null,
    sandbox: { id: "s1", phase: "open", readOnly: false },
    recording: null,
    cluster: { state: "ready", text: "", done: 0, total: 0, seconds_left: null, reason: null, remedy: null },
    urls: {
      start: "/api/sandboxes/",
      api: "/api/sandboxes/",
      socket: "/ws/sandbox/",
      terminal: "/ws/terminal/",
      clusterSocket: "/ws/cluster/",
      next: null,
      home: "/",
    },
    csrf: "t",
    ...changes,
  };
}

let live: Live;
let socket: FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { protocol: "http:", host: "here:8300" });
  vi.stubGlobal("requestAnimationFrame", (f: () => void) => setTimeout(f, 16));
  live = new Live(page());
  live.start();
  socket = FakeSocket.made[0] as FakeSocket;
  socket.onopen?.();
});
afterEach(() => {
  live.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the socket", () => {
  it("L7 opens with resume from nothing and is loading until the snapshot", () => {
    expect(socket.url).toBe("ws://here:8300/ws/sandbox/s1/");
    expect(socket.last).toEqual({ f: "resume", epoch: 0, seq: 0 });
    expect(live.mode).toBe("loading");
    socket.say(snapshot(5));
    expect(live.mode).toBe("live");
    expect(live.items["node/worker-1"]).toEqual(node);
  });
  it("L3 L2 merges the next delta, and unchanged items keep their identity", () => {
    socket.say(snapshot(5));
    const before = live.items["node/worker-1"];
    socket.say(delta(6, "a"));
    expect(live.items["object/a"]).toBeDefined();
    expect(live.items["node/worker-1"]).toBe(before);
    expect(live.animate).toBe(true);
  });
  it("L4 ignores what it has seen", () => {
    socket.say(snapshot(5));
    const before = live.items;
    socket.say(delta(5, "a"));
    expect(live.items).toBe(before);
    expect(socket.sent).toHaveLength(1);
  });
  it("L5 asks for one snapshot at a gap and ignores deltas until it is there", () => {
    socket.say(snapshot(5));
    socket.say(delta(8, "a"));
    socket.say(delta(9, "b"));
    expect(socket.last).toEqual({ f: "snapshot" });
    expect(socket.sent).toHaveLength(2);
    expect(live.items["object/b"]).toBeUndefined();
    socket.say(snapshot(9, { "object/z": { t: "object" } }));
    expect(Object.keys(live.items)).toEqual(["object/z"]);
    socket.say(delta(10, "c"));
    expect(live.items["object/c"]).toBeDefined();
  });
  it("L9 comes back after a lost connection and resumes where it was", () => {
    socket.say(snapshot(5));
    socket.say(delta(6, "a"));
    socket.onclose?.({ code: 1012, reason: "" });
    expect(live.tries).toBe(1);
    vi.advanceTimersByTime(400);
    const again = FakeSocket.made[1] as FakeSocket;
    again.onopen?.();
    expect(again.last).toEqual({ f: "resume", epoch: 3, seq: 6 });
    again.say(delta(7, "b"));
    expect(live.tries).toBe(0);
    expect(live.items["object/b"]).toBeDefined();
  });
  it("L9 does not come back after a final code and says why", () => {
    socket.say(snapshot(5));
    socket.onclose?.({ code: 4010, reason: "" });
    vi.advanceTimersByTime(20_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(live.mode).toBe("error");
    expect(live.texts.strip).toContain("removed");
  });
  it("L10 is late after 6 s and stale after 10 s of silence, and back with the next beat", () => {
    socket.say(snapshot(5));
    vi.advanceTimersByTime(6500);
    expect([live.mode, live.late]).toEqual(["live", true]);
    vi.advanceTimersByTime(4000);
    expect(live.mode).toBe("stale");
    expect(live.texts.strip).toMatch(/^Last news 1[01] s ago\. Your apps are still running\.$/);
    socket.say({ f: "beat", behind: 0.2, at: 200, stale_since: null });
    expect([live.mode, live.late]).toEqual(["live", false]);
  });
});

describe("the past", () => {
  const history = {
    epoch: 3,
    start: snapshot(1, {}),
    frames: [delta(2, "a"), delta(3, "b"), delta(4, "c")],
    seconds: 4,
    label: "",
  };
  beforeEach(() => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(JSON.stringify(history), { status: 200 })),
    );
    socket.say(snapshot(4, { "object/a": {}, "object/b": {}, "object/c": {} } as unknown as Items));
  });
  it("goes to the entry that decided, without motion, and one key goes back", async () => {
    await live.goTo(3);
    expect(live.mode).toBe("past");
    expect(Object.keys(live.items)).toEqual(["object/a", "object/b"]);
    expect(live.animate).toBe(false);
    live.backToLive();
    expect(live.mode).toBe("live");
    expect(Object.keys(live.items)).toHaveLength(3);
  });
  it("keeps folding my own state while the picture is in the past", async () => {
    await live.goTo(2);
    socket.say(delta(5, "d"));
    expect(Object.keys(live.items)).toEqual(["object/a"]);
    expect(live.mine["object/d"]).toBeDefined();
    await live.goTo(5);
    expect(live.items["object/d"]).toBeDefined();
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});

describe("a recording", () => {
  it("plays by itself without a sandbox and stops at its end", async () => {
    live.stop();
    const recording = {
      epoch: 1,
      start: { ...snapshot(0, {}, 1), at: 10 },
      frames: [{ ...delta(1, "a", 1), at: 11 }],
      seconds: 2,
      label: "a run on Monday",
    };
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(JSON.stringify(recording), { status: 200 })),
    );
    live = new Live(page({ sandbox: null, recording: "/api/recordings/c/l/" }));
    live.start();
    await vi.advanceTimersByTimeAsync(100);
    expect([live.mode, live.playing]).toEqual(["recorded", true]);
    expect(live.texts).toMatchObject({ word: "RECORDED", detail: "a run on Monday, 1 January" });
    expect(live.items["object/a"]).toBeUndefined();
    await vi.advanceTimersByTimeAsync(3000);
    flushSync();
    expect(live.items["object/a"]).toBeDefined();
    expect([live.playing, live.head]).toEqual([false, 12]);
  });
  it("stands before what a prediction asks about, and plays on when one is locked", async () => {
    live.stop();
    const asked = { id: "who", ask: "?", answer: "choice", choices: [["a", "A"]], before: "kill" };
    const said = { "prediction/who": { t: "prediction", value: "a", observed: null } };
    const recording = {
      epoch: 1,
      start: { ...snapshot(0, {}, 1), at: 10 },
      frames: [
        { ...delta(1, "before", 1), at: 11 },
        { ...delta(2, "locked", 1), at: 12, set: said },
        { ...delta(3, "after", 1), at: 13 },
      ],
      seconds: 3,
      label: "",
    };
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(JSON.stringify(recording), { status: 200 })),
    );
    const exercise = { predictions: [asked], questions: [] } as unknown as PageData["exercise"];
    live = new Live(page({ sandbox: null, recording: "/api/recordings/c/l/", exercise }));
    live.start();
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(5000);
    expect([live.playing, live.head, live.practice?.waits]).toEqual([false, 12, "prediction/who"]);
    expect(live.of("prediction", "who")).toBeNull();
    live.practice?.lock("prediction/who", "a");
    expect(live.playing).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect([live.playing, live.head, live.practice?.waits]).toEqual([false, 13, null]);
    await live.goToMoment(11);
    expect(live.items["object/after"]).toBeUndefined();
    expect(live.of("object", "after"), "what was watched stays known").not.toBeNull();
    live.practice?.again("prediction/who");
    expect([live.head, live.of("object", "after"), live.of("object", "before")?.name]).toEqual([
      11,
      null,
      "before",
    ]);
  });
  it("without sandbox and recording is empty, and an action is refused in words", async () => {
    live.stop();
    live = new Live(page({ sandbox: null }));
    live.start();
    expect(live.mode).toBe("empty");
    await expect(live.act("submit")).rejects.toThrow("Start your sandbox first.");
  });
  it("refuses every action to somebody who looks on", async () => {
    live.stop();
    live = new Live(page({ sandbox: { id: "s9", phase: "open", readOnly: true } }));
    await expect(live.act("reset")).rejects.toThrow("Only the student can do this.");
  });
});
