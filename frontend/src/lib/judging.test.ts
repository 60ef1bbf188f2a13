import { describe, expect, it } from "vitest";
import { isRight, readTolerance, rightPairs, whyOf } from "./judging";
import cases from "./judging.cases.json";
import type { AnswerKind } from "./page";

describe("an answer beside what was observed", () => {
  // The same table is judged by the engine's own rules in tests/classroom/test_practice.py.
  it.each(cases)("$kind $said beside $observed", ({ kind, said, observed, right, pairs, ...rest }) => {
    const tolerance = "tolerance" in rest ? rest.tolerance : null;
    expect(isRight(kind as AnswerKind, said, observed, readTolerance(tolerance))).toBe(right);
    if (pairs) expect(rightPairs(said, observed)).toEqual(pairs);
  });
});

describe("what the author says to an answer", () => {
  it("is of the choice, each sentence once", () => {
    expect(whyOf("choice", "a", { a: "Because." })).toBe("Because.");
    expect(whyOf("set", ["a", "b", "c"], { a: "One.", b: "Two.", c: "One." })).toBe("One. Two.");
    expect(whyOf("choice", "b", { a: "Because." })).toBeNull();
  });
  it("is of an order what was put first, of a match the pair and the choice", () => {
    expect(whyOf("order", ["b", "a"], { a: "A first.", b: "B first." })).toBe("B first.");
    expect(whyOf("match", { x: "1", y: "2" }, { "x/1": "Pair.", 2: "Choice.", "y/1": "No." })).toBe(
      "Pair. Choice.",
    );
  });
  it("is of a number its text, of a time any way to write it", () => {
    expect(whyOf("number", 3, { "3": "Three." })).toBe("Three.");
    expect(whyOf("duration", 0.5, { "500ms": "Half." })).toBe("Half.");
    expect(whyOf("curve", [3], { "3": "Three." })).toBeNull();
  });
});
