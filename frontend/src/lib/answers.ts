/** Answers to predictions and questions: what may be locked, and how a value is said. Pure. */
import type { QuestionData } from "./page";

export type Pair = [string, string];
/** What is being chosen, before it is locked. `null` = nothing yet. */
export type Draft = string | number | string[] | (number | null)[] | Record<string, string> | null;

/** Where the hand begins. An order begins as it is shown: every order is an answer, as is every set but none yet. */
export function emptyDraft(question: QuestionData): Draft {
  switch (question.answer) {
    case "order":
      return question.choices.map(([key]) => key);
    case "match":
      return {};
    case "curve":
      return Array.from({ length: pointsOf(question) }, () => null);
    default:
      return null;
  }
}

/** Whether this can be locked. An empty set can: it was chosen as "none of these". */
export function isComplete(question: QuestionData, draft: Draft): boolean {
  if (draft === null || draft === "") return false;
  switch (question.answer) {
    case "number":
    case "duration":
      return typeof draft === "number" && Number.isFinite(draft);
    case "match":
      return (question.given ?? []).every(([key]) => Boolean((draft as Record<string, string>)[key]));
    case "curve":
      return Array.isArray(draft) && draft.length > 0 && draft.every((one) => typeof one === "number");
    default:
      return true;
  }
}

/** How many values a curve has. */
export function pointsOf(question: QuestionData): number {
  return question.points ?? question.labels?.length ?? 0;
}

/** What one value of a curve is for: its label, else its place. */
export function labelOf(question: QuestionData, index: number): string {
  return question.labels?.[index] ?? String(index + 1);
}

/** The words of a key, the key where it is unknown. */
export function textOf(pairs: readonly Pair[], key: string): string {
  return pairs.find(([one]) => one === key)?.[1] ?? key;
}

/** An answer in words: "9.4 s", "new", "first, then second". Takes what a person said or what was observed. */
export function wordsOf(question: QuestionData, value: unknown): string {
  switch (question.answer) {
    case "number":
      return isNumeric(value) ? withUnit(Number(value), question.unit) : String(value);
    case "duration":
      return isNumeric(value) ? durationWords(Number(value)) : String(value);
    case "set":
      return listWords(asList(value).map((key) => textOf(question.choices, key))) || "none of them";
    case "order":
      return asList(value)
        .map((key) => textOf(question.choices, key))
        .join(", then ");
    case "match":
      return Object.entries(asMap(value))
        .map(([key, choice]) => `${textOf(question.given ?? [], key)}: ${textOf(question.choices, choice)}`)
        .join("; ");
    case "curve":
      return asNumbers(value)
        .map((one) => withUnit(one, question.unit))
        .join(", ");
    default:
      return textOf(question.choices, String(value));
  }
}

/** What is known of a locked answer. */
export interface Outcome {
  said: unknown;
  /** All right answers; empty where nothing was seen. */
  observed: unknown[];
  /** Null where the record cannot say. */
  right: boolean | null;
  /** Of a match: pairs right, pairs asked for. */
  pairs?: readonly [number, number] | null;
}

/**
 * The sentence below a locked card. Never "wrong": what was said stands beside what was seen. "" where the
 * drawing of the card says it all. `seen` names the other side: "Observed" or "The answer".
 */
export function resultWords(question: QuestionData, outcome: Outcome, seen = "Observed"): string {
  const { said, observed, right, pairs } = outcome;
  if (observed.length === 0 && right === false)
    return `You said ${wordsOf(question, said)}. It did not happen while we looked.`;
  if (observed.length === 0)
    return "This could not be seen: part of the record is missing. Not your fault, and it costs nothing.";
  if (question.answer === "match") return pairs ? `${pairs[0]} of ${pairs[1]} agree.` : "";
  if (question.answer === "order" && right) return "The same order.";
  if (question.answer === "order" || question.answer === "curve") return "";
  if (observed.length > 1) return severalWords(question, observed);
  const mine = wordsOf(question, said);
  const theirs = wordsOf(question, observed[0]);
  const close = right && question.answer !== "set" && mine !== theirs ? " Close enough to count." : "";
  return `You said ${mine}. ${seen}: ${theirs}.${close}`;
}

function severalWords(question: QuestionData, observed: readonly unknown[]): string {
  const words = observed.map((one) => wordsOf(question, one));
  const fit = `${listWords(words)} ${words.length === 2 ? "both" : "all"} fit`;
  return question.answer === "node"
    ? `${fit}; the scheduler may take either.`
    : `${fit}; each of them counts.`;
}

/** The right answer to draw beside what was said: the same one where it is among them, else the first. */
export function drawnAnswer(said: unknown, observed: readonly unknown[]): unknown {
  const mine = plain(said);
  return observed.find((one) => plain(one) === mine) ?? observed[0];
}

/** Comparable text of a value; the order of a map's keys says nothing. */
function plain(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));
}

/** "a", "a and b", "a, b and c". */
export function listWords(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Moves one of a list to another place; the list itself stays as it is. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const target = Math.min(Math.max(0, to), list.length - 1);
  next.splice(target, 0, ...next.splice(from, 1));
  return next;
}

/** A number as people write it ("1 200", "0,5"), or null. */
export function parseNumber(text: string): number | null {
  const plain = text
    .trim()
    .replace(/[\s\u202f]/g, "")
    .replace(",", ".")
    .replace(/^\u2212/, "-");
  return /^-?\d*\.?\d+$/.test(plain) ? Number(plain) : null;
}

const UNITS: Record<string, number> = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600 };

/** Seconds from "9", "9.5 s", "500 ms", "1 min 30 s", "1:30"; null where it is no duration. */
export function parseDuration(text: string): number | null {
  const plain = text.trim().toLowerCase().replace(",", ".");
  const clock = /^(\d+):([0-5]\d)$/.exec(plain);
  if (clock) return Number(clock[1]) * 60 + Number(clock[2]);
  const bare = parseNumber(plain);
  if (bare !== null) return bare >= 0 ? bare : null;
  if (!/^(\d+(\.\d+)?\s*(ms|sec|s|min|m|h)(?![a-z])\s*)+$/.test(plain)) return null;
  const parts = [...plain.matchAll(/(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? "s"] ?? 1), 0);
}

/** "500 ms", "9.4 s", "1 min 30 s". */
export function durationWords(value: number): string {
  if (value > 0 && value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${rounded(value)} s`;
  const whole = Math.round(value);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
}

/** "48 %", "3 Pods", "7". */
export function withUnit(value: number, unit = ""): string {
  return unit ? `${rounded(value)} ${unit}` : rounded(value);
}

const rounded = (value: number): string => String(Math.round(value * 10) / 10).replace("-", "\u2212");
const isNumeric = (value: unknown): boolean =>
  typeof value === "number" ||
  (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)));

/** What the server sent as a list of keys. */
export function asList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** What the server sent as pairs of keys. */
export function asMap(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}

/** What the server sent as numbers of a curve. */
export function asNumbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

/** A round upper end of an axis that holds all `values`; percent always ends at 100. */
export function axisEnd(values: readonly number[], unit = ""): number {
  if (unit === "%") return 100;
  const most = Math.max(0, ...values);
  if (most === 0) return 10;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((one) => one * power >= most * 1.05) ?? 20;
  return step * power;
}
