import { describe, expect, it } from "vitest";
import { incidentsOf } from "./incident";
import type { ExerciseData } from "./page";
import type { Items } from "./protocol";

const EXERCISE = {
  checks: [
    { id: "noticed", say: "You noticed in time", points: 1 },
    { id: "recovered", say: "Customers are served again", points: 1, recovers: true },
  ],
  questions: [{ id: "what-is-slow", ask: "What is slow?", answer: "choice", choices: [], before: null }],
  faults: [{ id: "noon", kind: "", by: "timeline", target: "", needs: [] }],
} as unknown as ExerciseData;
const fault = (more: object) => ({ "fault/noon": { t: "fault", ...more } }) as unknown as Items;
const over = fault({ phase: "reverted", kind: "slow-app", text: "stock: 900 ms late", began: 140, at: 260 });
const answered = (at: number) =>
  ({ "answer/what-is-slow": { t: "answer", value: "stock", at } }) as unknown as Items;

describe("an incident", () => {
  it("is not there where nothing is broken by the clock, and untold before it is over", () => {
    expect(incidentsOf({ ...EXERCISE, faults: [] }, over, 100)).toBeNull();
    expect(incidentsOf(null, over, 100)).toBeNull();
    expect(incidentsOf(EXERCISE, {}, 100)).toEqual([]);
  });
  it("tells what it was, and how long after its beginning each thing was done", () => {
    const back = {
      "check/recovered": { t: "check", state: "pass", line: "back after 8.9 s" },
    } as unknown as Items;
    const [told] = incidentsOf(EXERCISE, { ...over, ...answered(198), ...back }, 100) ?? [];
    expect(told).toEqual({
      id: "noon",
      what: "stock: 900 ms late.",
      when: "It began 40 s into this try and lasted 2 min.",
      took: [
        ["What is slow?", "answered after 58 s"],
        ["Customers are served again", "Back after 8.9 s"],
      ],
    });
  });
  it("says what was not done, or not at its time", () => {
    const late = { "check/recovered": { t: "check", state: "fail", line: "" } } as unknown as Items;
    const [none] = incidentsOf(EXERCISE, over, 100) ?? [];
    expect(none?.took.map(([, time]) => time)).toEqual(["not answered", "not looked at"]);
    const [early] = incidentsOf(EXERCISE, { ...over, ...answered(120), ...late }, 100) ?? [];
    expect(early?.took.map(([, time]) => time)).toEqual(["answered before it began", "failed"]);
  });
  it("that never began is said to be no fault of the student's", () => {
    const [told] =
      incidentsOf(EXERCISE, fault({ phase: "failed", text: "", began: null, at: 140 }), 100) ?? [];
    expect(told).toMatchObject({ when: "", took: [] });
    expect(told?.what).toContain("not your fault");
  });
});
