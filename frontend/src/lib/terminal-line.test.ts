import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TerminalLine } from "./terminal-line";

class FakeSocket {
  static OPEN = 1;
  static last: FakeSocket;
  readyState = 1;
  sent: (string | Uint8Array)[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.last = this;
  }
  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  bytes(n: number): void {
    this.onmessage?.({ data: new Uint8Array(n).buffer });
  }
  get texts(): Record<string, unknown>[] {
    return this.sent
      .filter((one): one is string => typeof one === "string")
      .map((one) => JSON.parse(one) as Record<string, unknown>);
  }
}

const events = () => ({
  size: () => ({ cols: 80, rows: 24 }),
  write: vi.fn((_bytes: Uint8Array, done: () => void) => done()),
  reset: vi.fn(),
  opened: vi.fn(),
  lost: vi.fn(),
  cut: vi.fn(),
  ended: vi.fn(),
  refused: vi.fn(),
});
let seen: ReturnType<typeof events>;
let line: TerminalLine;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  seen = events();
  line = new TerminalLine("ws://x/", seen);
  FakeSocket.last.onopen?.();
});
afterEach(() => {
  line.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the terminal's line", () => {
  it("opens with its size from the first byte", () => {
    expect(FakeSocket.last.texts[0]).toEqual({ f: "open", since: 0, cols: 80, rows: 24 });
  });
  it("T1 comes back from the byte it has not seen, without drawing anything twice", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    FakeSocket.last.bytes(100);
    FakeSocket.last.onclose?.({ code: 1006, reason: "" });
    vi.advanceTimersByTime(500);
    FakeSocket.last.onopen?.();
    expect(FakeSocket.last.texts[0]).toMatchObject({ since: 100 });
    FakeSocket.last.say({ f: "opened", from: 100 });
    expect(seen.reset).not.toHaveBeenCalled();
  });
  it("T1 starts the screen anew when bytes were lost", () => {
    FakeSocket.last.say({ f: "opened", from: 5000 });
    expect(seen.reset).toHaveBeenCalledOnce();
  });
  it("T2 acknowledges what was drawn, by its position, every 16 kB", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    FakeSocket.last.bytes(16_000);
    expect(FakeSocket.last.texts).toHaveLength(1);
    FakeSocket.last.bytes(1000);
    expect(FakeSocket.last.texts.at(-1)).toEqual({ f: "ack", n: 17_000 });
  });
  it("T3 cuts a long paste into frames the server takes", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    line.send("x".repeat(100_000));
    const frames = FakeSocket.last.sent.filter((one) => typeof one !== "string") as Uint8Array[];
    expect(Math.max(...frames.map((one) => one.length))).toBeLessThanOrEqual(64 * 1024);
    expect(frames.reduce((sum, one) => sum + one.length, 0)).toBe(100_000);
  });
  it("sends nothing before it is open", () => {
    line.send("rm");
    expect(FakeSocket.last.sent.filter((one) => typeof one !== "string")).toEqual([]);
  });
  it("T4 asks for a new shell when this one was cut off, until there is one", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    FakeSocket.last.say({ f: "exit", code: null, text: "The terminal was cut off.", cut: true });
    expect(seen.cut).toHaveBeenLastCalledWith(1, "The terminal was cut off.");
    line.send("typed into nothing");
    vi.advanceTimersByTime(500);
    expect(FakeSocket.last.texts).toHaveLength(2);
    FakeSocket.last.say({ f: "error", text: "The cluster does not answer just now." });
    expect(seen.cut).toHaveBeenLastCalledWith(2, "The cluster does not answer just now.");
    vi.advanceTimersByTime(999);
    expect(FakeSocket.last.texts).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.last.texts.at(-1)).toMatchObject({ f: "open", cols: 80 });
    FakeSocket.last.say({ f: "opened", from: 9000 });
    expect(seen.reset).toHaveBeenCalledOnce();
    expect(seen.ended).not.toHaveBeenCalled();
    expect(FakeSocket.last.sent.filter((one) => typeof one !== "string")).toEqual([]);
  });
  it("T4 gives up after two minutes and says why", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    FakeSocket.last.say({ f: "exit", code: null, text: "cut", cut: true });
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(5000);
      FakeSocket.last.say({ f: "error", text: "The cluster does not answer just now." });
    }
    expect(seen.ended).toHaveBeenCalledWith("The cluster does not answer just now.");
  });
  it("an exit is final: it says so and does not come back", () => {
    FakeSocket.last.say({ f: "opened", from: 0 });
    FakeSocket.last.say({ f: "exit", code: 0, text: "The shell ended." });
    expect(seen.ended).toHaveBeenCalledWith("The shell ended.");
    const before = FakeSocket.last;
    vi.advanceTimersByTime(20_000);
    expect(FakeSocket.last).toBe(before);
  });
});
