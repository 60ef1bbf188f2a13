import { describe, expect, it } from "vitest";
import { type BadgeInput, badgeTexts } from "./words";

const PLAYING: BadgeInput = {
  mode: "recorded",
  late: false,
  behind: 0,
  silence: 0,
  tries: 0,
  problem: "",
  moment: 0,
  now: 0,
  staleSince: null,
  history: { label: "a real run, 24 November 2026", start: { at: 1_795_520_040 } },
  self: null,
  readOnly: false,
};

describe("the badge of what is played", () => {
  it("says RECORDED for a run that happened", () => {
    expect(badgeTexts(PLAYING)).toMatchObject({ word: "RECORDED", detail: "a real run, 24 November 2026" });
  });

  it("says SIMULATED for what no cluster ever did", () => {
    const history = {
      label: "drawn from the lesson's files, not applied",
      simulated: true,
      start: { at: 0 },
    };
    expect(badgeTexts({ ...PLAYING, history })).toMatchObject({
      word: "SIMULATED",
      detail: "drawn from the lesson's files, not applied",
    });
  });
});
