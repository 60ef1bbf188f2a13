import { describe, expect, it } from "vitest";
import {
  axisEnd,
  type Draft,
  drawnAnswer,
  durationWords,
  emptyDraft,
  isComplete,
  moved,
  parseDuration,
  parseNumber,
  resultWords,
  wordsOf,
} from "./answers";
import type { AnswerKind, QuestionData } from "./page";

function ask(answer: AnswerKind, more: Partial<QuestionData> = {}): QuestionData {
  const choices: [string, string][] = [
    ["b", "Second"],
    ["a", "First"],
    ["c", "Third"],
  ];
  return { id: "q", ask: "?", answer, choices, before: null, ...more };
}
const sides: [string, string][] = [
  ["mono", "Monolith"],
  ["micro", "Microservices"],
];

describe("what may be locked", () => {
  const open: [AnswerKind, Draft][] = [
    ["choice", null],
    ["node", ""],
    ["number", null],
    ["duration", Number.NaN],
    ["set", null],
    ["match", { mono: "a" }],
    ["curve", [40, null, 20]],
    ["curve", []],
  ];
  it.each(open)("%s with %j is not complete", (answer, draft) => {
    expect(isComplete(ask(answer, { given: sides, points: 3 }), draft)).toBe(false);
  });
  const full: [AnswerKind, Draft][] = [
    ["choice", "a"],
    ["object", "Deployment/storefront"],
    ["number", 0],
    ["duration", 9.4],
    ["set", ["a"]],
    ["set", []],
    ["order", ["b", "a", "c"]],
    ["match", { mono: "a", micro: "a" }],
    ["curve", [0, 50, 50]],
  ];
  it.each(full)("%s with %j is complete", (answer, draft) => {
    expect(isComplete(ask(answer, { given: sides, points: 3 }), draft)).toBe(true);
  });
  it("begins an order as it is shown and a curve with as many points as are asked for", () => {
    expect(emptyDraft(ask("order"))).toEqual(["b", "a", "c"]);
    expect(emptyDraft(ask("set"))).toBeNull();
    expect(emptyDraft(ask("curve", { points: 2 }))).toEqual([null, null]);
    expect(emptyDraft(ask("curve", { labels: ["0 s", "10 s", "20 s"] }))).toHaveLength(3);
  });
});

describe("an answer in words", () => {
  it("says keys as their texts, numbers with their unit", () => {
    expect(wordsOf(ask("choice"), "a")).toBe("First");
    expect(wordsOf(ask("set"), ["a", "b", "c"])).toBe("First, Second and Third");
    expect(wordsOf(ask("set"), [])).toBe("none of them");
    expect(wordsOf(ask("order"), ["a", "b"])).toBe("First, then Second");
    expect(wordsOf(ask("match", { given: sides }), { mono: "a" })).toBe("Monolith: First");
    expect(wordsOf(ask("number", { unit: "Pods" }), 3)).toBe("3 Pods");
    expect(wordsOf(ask("curve", { unit: "%" }), [33.33, 0])).toBe("33.3 %, 0 %");
    expect(wordsOf(ask("duration"), 9.44)).toBe("9.4 s");
    expect(wordsOf(ask("node"), "worker-2")).toBe("worker-2");
  });
  it("says durations as people do", () => {
    expect([0, 0.25, 59.96, 60, 90, 3600].map(durationWords)).toEqual([
      "0 s",
      "250 ms",
      "60 s",
      "1 min",
      "1 min 30 s",
      "60 min",
    ]);
  });
});

describe("what stands below a locked answer", () => {
  it("puts both beside each other, without a verdict", () => {
    const outcome = { said: "b", observed: ["a"], right: false };
    expect(resultWords(ask("choice"), outcome)).toBe("You said Second. Observed: First.");
    expect(resultWords(ask("choice"), outcome, "The answer")).toBe("You said Second. The answer: First.");
  });
  it("says that a number within its tolerance counts", () => {
    expect(resultWords(ask("duration"), { said: 10, observed: [9.4], right: true })).toBe(
      "You said 10 s. Observed: 9.4 s. Close enough to count.",
    );
    expect(resultWords(ask("number"), { said: 3, observed: [3], right: true })).toBe(
      "You said 3. Observed: 3.",
    );
  });
  it("finds a set in another order no less exact", () => {
    const outcome = { said: ["a", "b"], observed: [["b", "a"]], right: true };
    expect(resultWords(ask("set"), outcome)).not.toContain("Close");
  });
  it("names every right answer", () => {
    const nodes = { said: "worker-1", observed: ["worker-1", "worker-3"], right: true };
    expect(resultWords(ask("node"), nodes)).toBe(
      "worker-1 and worker-3 both fit; the scheduler may take either.",
    );
    expect(resultWords(ask("choice"), { said: "a", observed: ["a", "b", "c"], right: true })).toBe(
      "First, Second and Third all fit; each of them counts.",
    );
  });
  it("says of an order only that it is the same; else both stand beside each other", () => {
    const outcome = { said: ["a", "b"], observed: [["a", "b"]], right: true };
    expect(resultWords(ask("order"), outcome)).toBe("The same order.");
    expect(resultWords(ask("order"), { ...outcome, said: ["b", "a"], right: false })).toBe("");
  });
  it("counts the pairs of a match", () => {
    const outcome = { said: {}, observed: [{}], right: false, pairs: [1, 2] as const };
    expect(resultWords(ask("match", { given: sides }), outcome)).toBe("1 of 2 agree.");
  });
  it("blames the record, not the student, where nothing could be seen", () => {
    expect(resultWords(ask("choice"), { said: "a", observed: [], right: null })).toMatch(
      /Not your fault, and it costs nothing/,
    );
  });
  it("says of a time that never came that it did not come", () => {
    expect(resultWords(ask("duration"), { said: 12, observed: [], right: false })).toBe(
      "You said 12 s. It did not happen while we looked.",
    );
  });
  it("draws the right answer that was said where there are several", () => {
    expect(drawnAnswer(["a", "b"], [["b"], ["a", "b"]])).toEqual(["a", "b"]);
    expect(drawnAnswer({ x: "1", y: "2" }, [{ y: "2", x: "1" }])).toEqual({ y: "2", x: "1" });
    expect(drawnAnswer("c", ["a", "b"])).toBe("a");
  });
});

describe("what people type", () => {
  it("reads numbers with a comma, a space or a true minus", () => {
    expect(["3", "0,5", "1 200", "\u22122", ".5"].map(parseNumber)).toEqual([3, 0.5, 1200, -2, 0.5]);
    expect(["", "three", "1.2.3", "-", "1e9"].map(parseNumber)).toEqual([null, null, null, null, null]);
  });
  it("reads durations, seconds where no unit is given", () => {
    const said = ["9", "9.5 s", "500ms", "1 min 30 s", "1m30s", "1:30", "2 h", "0"];
    expect(said.map(parseDuration)).toEqual([9, 9.5, 0.5, 90, 90, 90, 7200, 0]);
    expect(["", "soon", "-4", "9 s later", "1:75", "5 days"].map(parseDuration)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("the order and the axis", () => {
  it("moves one and keeps the others in order", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b", "c"], 1, 9)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  });
  it("ends at a round number over all values", () => {
    expect(axisEnd([33, 20], "%")).toBe(100);
    expect(axisEnd([9.4, 12])).toBe(20);
    expect(axisEnd([])).toBe(10);
    expect(axisEnd([100])).toBe(200);
  });
});
