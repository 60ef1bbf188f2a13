import { describe, expect, it } from "vitest";
import { type ClassRow, figuresOf, whereWords } from "./class-table";

const row = (name: string, changes: Partial<ClassRow> = {}): ClassRow => ({
  id: name,
  name,
  lesson: "l",
  lesson_title: "L",
  phase: "open",
  attempt: 1,
  state: "running",
  checks: [],
  passed: 0,
  of: 8,
  stuck: "",
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
    ];
    expect(figuresOf(rows)).toEqual({ students: 2, working: 2, stuck: 1, marked: 1 });
  });
  it("says where somebody is in words, with the try", () => {
    expect(whereWords(row("A"))).toBe("working");
    expect(whereWords(row("A", { state: "testing", attempt: 3 }))).toBe("being tested by us, try 3");
    expect(whereWords(row("A", { state: "", phase: "preparing" }))).toBe("preparing");
  });
});
