import { describe, expect, it } from "vitest";
import { isOver, momentOf } from "./anchors";
import { gateOf } from "./gates";
import { type ExerciseData, type StepData, sandboxUrl, socketUrl } from "./page";
import type { Items } from "./protocol";
import {
  agoWords,
  badgeTexts,
  checksLine,
  evidenceWords,
  leftWords,
  offsetWords,
  seconds,
  warningAt,
} from "./words";
import { lineOfPath } from "./yaml-path";

const exercise = {
  checks: [{ id: "enough", say: "The wanted number is ready", points: 1 }],
  predictions: [{ id: "who", ask: "What comes back?", answer: "choice", choices: [], before: "kill" }],
  questions: [{ id: "which", ask: "Which came first?", answer: "set", choices: [], before: null }],
} as unknown as ExerciseData;
const step = (gate: StepData["gate"], ...needs: string[]): StepData => ({ id: "s", title: "S", gate, needs });

describe("gates", () => {
  const passed = { "check/enough": { t: "check", state: "pass" } } as unknown as Items;
  it("none is open, soft asks, hard is shut, each with the claim in words", () => {
    expect(gateOf(step("none", "enough"), exercise, {}, false).way).toBe("open");
    expect(gateOf(step("soft", "enough"), exercise, {}, false)).toEqual({
      way: "ask",
      missing: ["The wanted number is ready"],
    });
    expect(gateOf(step("hard", "who"), exercise, {}, false)).toEqual({
      way: "shut",
      missing: ["What comes back?"],
    });
  });
  it("opens when the needs are met: passed, could not grade (our fault), locked", () => {
    expect(gateOf(step("hard", "enough"), exercise, passed, false).way).toBe("open");
    const unclear = { "check/enough": { t: "check", state: "could-not-grade" } } as unknown as Items;
    expect(gateOf(step("hard", "enough"), exercise, unclear, false).way).toBe("open");
    const locked = { "prediction/who": { t: "prediction", value: "new" } } as unknown as Items;
    expect(gateOf(step("hard", "who"), exercise, locked, false).way).toBe("open");
    const answered = { "answer/which": { t: "answer", value: [] } } as unknown as Items;
    expect(gateOf(step("hard", "which"), exercise, answered, false).way).toBe("open");
    expect(gateOf(step("hard", "which"), exercise, {}, false).missing).toEqual(["Which came first?"]);
  });
  it("a failed check or an open prediction keeps it shut", () => {
    const failed = {
      "check/enough": { t: "check", state: "fail" },
      "prediction/who": { t: "prediction", value: null },
    } as unknown as Items;
    expect(gateOf(step("hard", "enough", "who"), exercise, failed, false).missing).toHaveLength(2);
  });
  it("never stops somebody who cannot act", () => {
    expect(gateOf(step("hard", "enough"), exercise, {}, true).way).toBe("open");
  });
});

describe("words", () => {
  it("counts checks in words", () => {
    expect(checksLine(["pass", "pass", "holding", "waiting", "your-turn"])).toBe(
      "2 passed, 2 still open, 1 for you",
    );
    expect(checksLine(["fail", "could-not-grade"])).toBe("1 failed, 1 could not be graded");
  });
  it("says time as the design does", () => {
    expect([offsetWords(11.2), offsetWords(-14), offsetWords(0.2)]).toEqual(["+11 s", "−14 s", "0 s"]);
    expect([seconds(0.21), seconds(14.4)]).toEqual(["0.2 s", "14 s"]);
    expect([leftWords(2460, 0), leftWords(50, 0), leftWords(0, 5)]).toEqual([
      "41 min left",
      "50 s left",
      "time is up",
    ]);
    expect([agoWords(12), agoWords(130)]).toEqual(["12 s", "2 min"]);
  });
  it("warns at 10, 3 and 1 minutes", () => {
    expect([601, 600, 181, 180, 61, 60, 0].map((left) => warningAt(left, 0))).toEqual([
      null,
      10,
      10,
      3,
      3,
      1,
      null,
    ]);
  });
  const base = {
    mode: "live",
    late: false,
    behind: 0.2,
    silence: 1,
    tries: 0,
    problem: "",
    moment: 100,
    now: 100,
    staleSince: null,
    history: null,
    self: null,
    readOnly: false,
  };
  it("the badge's words", () => {
    expect(badgeTexts(base)).toEqual({ word: "LIVE", detail: "your namespace, 0.2 s behind", strip: "" });
    expect(badgeTexts({ ...base, late: true, behind: 4 }).detail).toBe("4.0 s behind, catching up");
    expect(badgeTexts({ ...base, mode: "past", moment: 88 })).toMatchObject({
      word: "RECORDED",
      detail: "12 s ago",
    });
  });
  it("a recording says of what and when", () => {
    const at = Date.UTC(2026, 2, 3, 12) / 1000;
    const recorded = (label: string) =>
      badgeTexts({ ...base, mode: "recorded", history: { label, start: { at } } }).detail;
    expect(recorded("solution")).toBe("a run of the solution, 3 March");
    expect(recorded("a real run, 24 November 2026")).toBe("a real run, 24 November 2026");
    expect(recorded("class run")).toBe("class run, 3 March");
  });
  it("stale says since when, and which try", () => {
    expect(badgeTexts({ ...base, mode: "stale", silence: 14, tries: 3 }).strip).toBe(
      "Last news 14 s ago. Reconnecting, try 3. Your apps are still running.",
    );
    expect(badgeTexts({ ...base, mode: "stale", staleSince: 70 }).strip).toBe(
      "Last news 30 s ago. Your apps are still running.",
    );
  });
  it("waking says the place in the queue", () => {
    const self = {
      t: "sandbox" as const,
      phase: "requested" as const,
      phases: [],
      expires: null,
      place: 4,
      text: "",
    };
    expect(badgeTexts({ ...base, mode: "loading", self }).strip).toBe("Still waking. Place 4 in the queue.");
    expect(badgeTexts({ ...base, mode: "loading" }).strip).toBe("Waking your namespace. Usually 6 s.");
  });
});

describe("evidence under a check", () => {
  it("names what is missing as a sentence", () => {
    expect(evidenceWords("first: The wanted number is ready")).toBe(
      "First: \u201cThe wanted number is ready\u201d.",
    );
    expect(evidenceWords("not reached: It holds")).toBe("Not reached: \u201cIt holds\u201d.");
  });
  it("leaves numbers and names of Pods as they are", () => {
    expect(evidenceWords("h6wvd is not 4tq7m")).toBe("h6wvd is not 4tq7m");
    expect(evidenceWords("11 s gone, 2 of 3 ready")).toBe("11 s gone, 2 of 3 ready");
    expect(evidenceWords("lowest so far: 2")).toBe("Lowest so far: 2");
    expect(evidenceWords("it became true")).toBe("It became true");
    expect(evidenceWords("worker-2 is full")).toBe("worker-2 is full");
  });
});

describe("the line of a YAML path", () => {
  const text = `apiVersion: apps/v1
kind: Deployment
spec:
  replicas: 1
  template:
    metadata: {labels: {app: storefront}}
    spec:
      containers:
        - name: app
          image: app/storefront:1.0
          # the readinessProbe goes here
        - name: side
          image: app/side:1.0
`;
  it("finds keys at their own depth", () => {
    expect(lineOfPath(text, "spec.replicas")).toBe(4);
    expect(lineOfPath(text, "spec.template.spec.containers")).toBe(8);
  });
  it("finds entries of lists", () => {
    expect(lineOfPath(text, "spec.template.spec.containers.0.image")).toBe(10);
    expect(lineOfPath(text, "spec.template.spec.containers[1].image")).toBe(13);
  });
  it("falls back to the deepest part that is there", () => {
    expect(lineOfPath(text, "spec.strategy")).toBe(3);
    expect(lineOfPath(text, "data")).toBeNull();
    expect(lineOfPath("", "a.b")).toBeNull();
  });
});

describe("anchors", () => {
  const items = {
    "fault/kill": { t: "fault", phase: "ended", at: 130, target: null, needs: [], lost: 0 },
    "marker/9": { t: "marker", kind: "fault", at: 100, seq: 9, text: "", of: null },
  } as unknown as Items;
  it("start, end and shifts", () => {
    expect(momentOf("kill.start", items)).toBe(100);
    expect(momentOf("kill.start+20s", items)).toBe(120);
    expect(momentOf("kill.end - 500ms", items)).toBe(129.5);
  });
  it("of a fault that ends by itself: its own start, whatever was marked since", () => {
    const slow = { t: "fault", phase: "reverted", at: 130, began: 110 };
    expect(momentOf("kill.start", { ...items, "fault/kill": slow } as unknown as Items)).toBe(110);
    expect(momentOf("kill.end", { ...items, "fault/kill": slow } as unknown as Items)).toBe(130);
  });
  it("of the try: its start, the moment it was handed in, a check that passed", () => {
    const tried = {
      "attempt/now": { t: "attempt", started: 50 },
      "check/enough": { t: "check", state: "pass", at: 70 },
      "marker/3": { t: "marker", kind: "submit", at: 40, seq: 3 },
      "marker/20": { t: "marker", kind: "submit", at: 150, seq: 20 },
      "marker/24": { t: "marker", kind: "submit", at: 180, seq: 24 },
    } as unknown as Items;
    expect(momentOf("start", tried)).toBe(50);
    expect(momentOf("submit", tried)).toBe(150);
    expect(momentOf("enough.pass+2s", tried)).toBe(72);
    expect(momentOf("submit", {})).toBeNull();
  });
  it("of a prediction or an answer: when it was given", () => {
    const given = {
      "prediction/who": { t: "prediction", value: "new", at: 60 },
      "answer/why": { t: "answer", value: "a", at: 65 },
    } as unknown as Items;
    expect(momentOf("who+5s", given)).toBe(65);
    expect(momentOf("why", given)).toBe(65);
    expect(momentOf("what", given)).toBeNull();
  });
  it("that has not come by the end of the try never comes", () => {
    const at = (state: string) => isOver({ "attempt/now": { t: "attempt", state } } as unknown as Items);
    expect(["running", "closing", "testing"].map(at)).toEqual([false, false, false]);
    expect(["handed-in", "marked", "could-not-mark"].map(at)).toEqual([true, true, true]);
    expect(isOver({})).toBe(false);
  });
  it("of a load: when it started and when it was over", () => {
    const load = { t: "load", phase: "running", at: 200, until: 260 };
    expect(momentOf("rush.start", { "load/rush": load } as unknown as Items)).toBe(200);
    expect(momentOf("rush.end", { "load/rush": load } as unknown as Items)).toBeNull();
    const over = { "load/rush": { ...load, phase: "ended" } } as unknown as Items;
    expect(momentOf("rush.end+5s", over)).toBe(265);
  });
  it("is null before it happened, and for what it does not know", () => {
    expect(momentOf("kill.start", {})).toBeNull();
    expect(momentOf("whenever", items)).toBeNull();
  });
});

describe("addresses", () => {
  it("prefix or template", () => {
    expect(sandboxUrl("/api/sandboxes/", "7", "predict")).toBe("/api/sandboxes/7/predict");
    expect(sandboxUrl("/ws/sandbox/{id}/", "7")).toBe("/ws/sandbox/7/");
    expect(sandboxUrl("/api/sandboxes/{id}/", "7", "history")).toBe("/api/sandboxes/7/history");
  });
  it("the socket follows the page's scheme", () => {
    expect(socketUrl("/ws/x/", { protocol: "https:", host: "h" })).toBe("wss://h/ws/x/");
  });
});
