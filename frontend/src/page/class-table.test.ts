import { describe, expect, it } from "vitest";
import { type ClassRow, figuresOf, signWords, thoughtsOf, whereWords } from "./class-table";

const row = (name: string, changes: Partial<ClassRow> = {}): ClassRow => ({
  id: name,
  person: name.length,
  name,
  step: "",
  here: false,
  seen: null,
  hints: "",
  lesson: "l",
  lesson_title: "L",
  phase: "open",
  attempt: 1,
  state: "running",
  checks: [],
  passed: 0,
  of: 8,
  stuck: "",
  misconceptions: [],
  mark: "",
  href: "",
  ...changes,
});

describe("the class's numbers", () => {
  it("counts people, not rows", () => {
    const rows = [
      row("Amina"),
      row("Amina", { lesson: "m", mark: "12 of 14", state: "marked" }),
      row("Ben", { stuck: "Full strength again" }),
      row("Ben", { person: 99 }),
    ];
    expect(figuresOf(rows)).toEqual({ students: 3, working: 3, stuck: 1, marked: 1 });
  });
  it("counts people per misconception, most frequent first", () => {
    const repaired = { of: "who-returns", id: "pods-are-repaired" };
    const nothing = { of: "who-returns", id: "nothing-watches" };
    const rows = [
      row("Amina", { misconceptions: [nothing] }),
      row("Ben", { misconceptions: [repaired] }),
      row("Ben", { misconceptions: [repaired] }),
      row("Carla", { person: 77, misconceptions: [repaired] }),
    ];
    expect(thoughtsOf(rows)).toEqual([
      { id: "pods-are-repaired", where: "L, who-returns", people: 2 },
      { id: "nothing-watches", where: "L, who-returns", people: 1 },
    ]);
    expect(thoughtsOf([row("Amina")])).toEqual([]);
  });
  it("says where somebody is in words, with the try", () => {
    expect(whereWords(row("A"))).toBe("working");
    expect(whereWords(row("A", { state: "testing", attempt: 3 }))).toBe("being tested by us, try 3");
    expect(whereWords(row("A", { state: "", phase: "preparing" }))).toBe("sandbox is being made");
    expect(whereWords(row("A", { phase: "removed", attempt: 2 }))).toBe("left, sandbox ended, try 2");
  });
  it("says which step is read, and when somebody last gave a sign", () => {
    expect(whereWords(row("A", { step: "step 2 of 4" }))).toBe("step 2 of 4, working");
    expect(signWords(true, 1, 5000)).toBe("here now");
    expect(signWords(false, 4970, 5000)).toBe("a moment ago");
    expect(signWords(false, 5000 - 61 * 5, 5000)).toBe("5 min ago");
    expect(signWords(false, 1000, 1000 + 7300)).toBe("2 h ago");
    expect(signWords(false, null, 5000)).toBe("");
  });
});
