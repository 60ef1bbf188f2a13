import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ExerciseData, PageData, QuestionData } from "./page";
import { cutBefore, fencesOf, Practice, readSaid } from "./practice.svelte";
import { type CheckItem, type DeltaFrame, foldTo, type History, type PredictionItem } from "./protocol";

const asked = (id: string, before: string | null, more: Partial<QuestionData> = {}): QuestionData => ({
  id,
  ask: "?",
  answer: "choice",
  choices: [
    ["new", "A new one"],
    ["same", "The same"],
  ],
  before,
  ...more,
});
const frame = (seq: number, set: DeltaFrame["set"]): DeltaFrame => ({
  f: "delta",
  epoch: 1,
  seq,
  at: 10 + seq,
  set,
});
const check = (id: string, state: string, seq: number | null = null) => ({
  [`check/${id}`]: { t: "check", say: id, state, points: 0, of: 1, line: "", seq, at: 0 },
});

const RECORDING: History = {
  epoch: 1,
  start: { f: "snapshot", epoch: 1, seq: 0, at: 10, items: {} },
  frames: [
    frame(1, {
      ...check("foresaw", "your-turn"),
      ...check("ready", "pass", 1),
      ...check("knows", "your-turn"),
    }),
    frame(2, { "answer/where": { t: "answer", value: "borg", at: 12, observed: null, right: null } }),
    frame(3, { "answer/where": { observed: ["borg"], right: true }, ...check("knows", "pass", 3) }),
    frame(4, {
      "prediction/who": {
        t: "prediction",
        value: "new",
        at: 14,
        observed: null,
        right: null,
        why: "Theirs.",
      },
    }),
    frame(5, { "fault/kill": { t: "fault", phase: "started" } }),
    frame(6, { "prediction/who": { observed: ["new"], right: true } }),
    frame(7, {
      ...check("foresaw", "pass", 6),
      "marker/7": { t: "marker", kind: "verdict", at: 17, seq: 7, text: "check passed", of: "check/foresaw" },
      "marker/8": { t: "marker", kind: "verdict", at: 17, seq: 8, text: "check passed", of: "check/ready" },
    }),
  ],
  seconds: 7,
  label: "a run",
  practice: {
    asked: {
      "prediction/who": { tolerance: null, why: { same: "Pods are not mended." } },
      "answer/where": { tolerance: null, why: {} },
    },
    checks: { foresaw: "prediction/who", knows: "answer/where" },
  },
};

const PAGE = {
  course: { slug: "c", title: "C", href: "/" },
  lesson: { slug: "l", title: "L", minutes: 1, hash: "h1", n: 1 },
  exercise: {
    predictions: [asked("who", "kill")],
    questions: [
      asked("where", null, {
        choices: [
          ["borg", "Borg"],
          ["mesos", "Mesos"],
        ],
      }),
    ],
  } as unknown as ExerciseData,
} as PageData;

let kept: Record<string, string>;
let shown: number[];
const made = (): Practice => new Practice(PAGE, RECORDING, (film) => shown.push(film.frames.length));
const upTo = (count: number) => foldTo(RECORDING, count);

beforeEach(() => {
  kept = {};
  shown = [];
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
  });
});

describe("a recording before the viewer has said what will happen", () => {
  it("ends where the recorded person said it, and nothing later is in the film", () => {
    const practice = made();
    expect(practice.waits).toBe("prediction/who");
    expect(practice.film.frames.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(practice.film.seconds).toBe(4);
    expect(JSON.stringify(practice.film.frames)).not.toContain("prediction/who");
  });
  it("goes on when it is locked, and shows neither their answer nor how well they foresaw it", () => {
    const practice = made();
    practice.lock("prediction/who", "same");
    expect([practice.waits, shown]).toEqual([null, [7]]);
    const markers = practice.film.frames
      .flatMap(({ set }) => Object.keys(set ?? {}))
      .filter((key) => key.startsWith("marker/"));
    expect(markers).toEqual(["marker/8"]);
    expect(practice.seen("prediction/who", upTo(5))).toMatchObject({
      value: "same",
      observed: null,
      right: null,
    });
    expect(practice.seen("check/foresaw", upTo(5))).toMatchObject({ state: "waiting", seq: null });
  });
  it("judges the viewer's own answer when the record comes to it", () => {
    const practice = made();
    practice.lock("prediction/who", "same");
    const said = practice.seen("prediction/who", upTo(7)) as PredictionItem;
    expect(said).toMatchObject({
      value: "same",
      observed: ["new"],
      right: false,
      why: "Pods are not mended.",
    });
    expect(practice.seen("check/foresaw", upTo(7))).toMatchObject({ state: "fail", points: 0, seq: 6 });
    practice.lock("prediction/who", "new");
    expect(practice.seen("check/foresaw", upTo(7))).toMatchObject({
      state: "pass",
      points: 0,
      line: "you foresaw it",
    });
  });
  it("goes on without an answer where the viewer wants that, and comes back to be asked anew", () => {
    const practice = made();
    practice.pass("prediction/who");
    expect([practice.waits, practice.isOpen("prediction/who")]).toEqual([null, true]);
    expect(practice.seen("prediction/who", upTo(7))).toBeNull();
    expect((practice.seen("check/foresaw", upTo(7)) as CheckItem).line).toBe("watched without an answer");
    practice.again("prediction/who");
    expect([practice.waits, shown]).toEqual(["prediction/who", [7, 3]]);
  });
});

describe("a question", () => {
  it("holds no film up and is compared as soon as it is answered", () => {
    const practice = made();
    expect(practice.seen("answer/where", upTo(3))).toBeNull();
    expect(practice.seen("check/knows", upTo(3))).toMatchObject({ state: "your-turn", seq: null });
    practice.lock("answer/where", "mesos");
    expect(shown).toEqual([]);
    expect(practice.seen("answer/where", {})).toMatchObject({ observed: ["borg"], right: false });
  });
});

describe("other checks", () => {
  it("are as the recording decides them", () => {
    expect(made().seen("check/ready", upTo(1))).toMatchObject({ state: "pass", seq: 1 });
  });
});

describe("what was said", () => {
  it("is kept in the browser for this version of the lesson", () => {
    made().lock("prediction/who", "new");
    expect(made().waits).toBeNull();
    const questions = new Map([["prediction/who", asked("who", "kill")]]);
    expect(readSaid(kept["glasshull.practice.c.l"] ?? null, "h1", questions)).toEqual({
      "prediction/who": "new",
    });
    expect(readSaid(kept["glasshull.practice.c.l"] ?? null, "h2", questions)).toEqual({});
  });
  it.each([
    null,
    "",
    "{",
    "[]",
    '{"hash":"h1"}',
    '{"hash":"h1","said":{"prediction/who":7,"prediction/gone":"new"}}',
  ])("is nothing where the storage holds %s", (text) => {
    expect(readSaid(text, "h1", new Map([["prediction/who", asked("who", "kill")]]))).toEqual({});
  });
});

describe("fences", () => {
  it("stand where the fault begins when nobody in the recording said it, and nowhere when it never does", () => {
    const frames = [
      frame(1, {}),
      frame(2, { "fault/kill": { phase: "armed" } }),
      frame(3, { "fault/kill": { phase: "started" } }),
    ];
    expect(fencesOf([asked("who", "kill")], frames)).toEqual([{ key: "prediction/who", count: 2 }]);
    expect(fencesOf([asked("who", "other"), asked("what", null)], frames)).toEqual([]);
  });
  it("stand in the order of the film", () => {
    const frames = [
      frame(1, { "prediction/b": { value: "new" } }),
      frame(2, { "prediction/a": { value: "new" } }),
    ];
    expect(fencesOf([asked("a", null), asked("b", null)], frames).map(({ key }) => key)).toEqual([
      "prediction/b",
      "prediction/a",
    ]);
  });
  it("beyond the film cut nothing", () => {
    expect(cutBefore(RECORDING, 99)).toBe(RECORDING);
  });
});
