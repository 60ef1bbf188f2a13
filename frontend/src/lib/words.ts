/** The page's exact words (visual.md 9, 10, 13). Pure, so that each is tested. */
import type { CheckState, ItemOf } from "./protocol";

export interface BadgeTexts {
  /** "LIVE", "RECORDED", "SIMULATED" (drawn from files, an author's preview) or "" (no badge). */
  word: "LIVE" | "RECORDED" | "SIMULATED" | "";
  detail: string;
  /** Sentence across the picture when it has no news, is waking, empty or broken; else "". */
  strip: string;
}

export interface BadgeInput {
  mode: string;
  late: boolean;
  behind: number;
  silence: number;
  tries: number;
  problem: string;
  moment: number;
  now: number;
  staleSince: number | null;
  history: { label: string; simulated?: boolean; start: { at: number } } | null;
  self: ItemOf<"sandbox"> | null;
  readOnly: boolean;
}

export function badgeTexts(live: BadgeInput): BadgeTexts {
  switch (live.mode) {
    case "recorded":
      if (live.history?.simulated) return { word: "SIMULATED", detail: live.history.label, strip: "" };
      return { word: "RECORDED", detail: recordedWords(live.history), strip: "" };
    case "past":
      return { word: "RECORDED", detail: `${agoWords(live.now - live.moment)} ago`, strip: "" };
    case "live": {
      const whose = live.readOnly ? "this student's namespace" : "your namespace";
      const detail = live.late
        ? `${seconds(Math.max(live.behind, live.silence))} behind, catching up`
        : `${whose}, ${seconds(live.behind)} behind`;
      return { word: "LIVE", detail, strip: "" };
    }
    case "stale":
      return { word: "LIVE", detail: "no news", strip: staleStrip(live) };
    case "loading":
      return { word: "", detail: "", strip: wakingStrip(live.self) };
    case "error":
      return {
        word: "",
        detail: "",
        strip: live.problem || "The picture lost its feed. The terminal still works. Reload the picture",
      };
    default:
      return {
        word: "",
        detail: "",
        strip: "No sandbox yet. Press Start in the lesson and your part of the cluster appears here.",
      };
  }
}

/** "a run of the solution, 3 March": what was recorded, and when. */
function recordedWords(history: BadgeInput["history"]): string {
  if (!history) return "a run made earlier";
  // A label with a date says all; the stem of a file says only what.
  if (/\d{4}/.test(history.label)) return history.label;
  const what = /^solution\b/.test(history.label) || !history.label ? "a run of the solution" : history.label;
  const day = new Date(history.start.at * 1000).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
  });
  return `${what}, ${day}`;
}

function staleStrip(live: BadgeInput): string {
  const since = live.staleSince === null ? live.silence : Math.max(live.silence, live.now - live.staleSince);
  const again = live.tries > 0 ? ` Reconnecting, try ${live.tries}.` : "";
  return `Last news ${Math.round(since)} s ago.${again} Your apps are still running.`;
}

function wakingStrip(self: ItemOf<"sandbox"> | null): string {
  if (self && self.place > 0) return `Still waking. Place ${self.place} in the queue.`;
  return "Waking your namespace. Usually 6 s.";
}

/** "0.2 s", "14 s". */
export function seconds(value: number): string {
  return value < 10 ? `${Math.max(0, value).toFixed(1)} s` : `${Math.round(value)} s`;
}

/** "12 s", "3 min", "2 h". */
export function agoWords(value: number): string {
  const s = Math.max(0, Math.round(value));
  if (s < 100) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${Math.round(s / 3600)} h`;
}

/** "41 min left", "50 s left", "time is up". */
export function leftWords(until: number, now: number): string {
  const s = Math.round(until - now);
  if (s <= 0) return "time is up";
  return s < 60 ? `${s} s left` : `${Math.ceil(s / 60)} min left`;
}

/** The warning to show for the time left (10, 3 and 1 minutes), or null. */
export function warningAt(until: number, now: number): 10 | 3 | 1 | null {
  const s = until - now;
  if (s <= 0 || s > 600) return null;
  if (s <= 60) return 1;
  return s <= 180 ? 3 : 10;
}

export const CHECK_WORDS: Record<CheckState, string> = {
  pass: "passed",
  fail: "failed",
  holding: "holding",
  waiting: "waiting",
  "could-not-grade": "could not grade",
  "your-turn": "your turn",
};

/** Head line in words: "2 passed, 2 still open, 1 for you". */
export function checksLine(states: readonly CheckState[]): string {
  const count = (...wanted: CheckState[]): number => states.filter((state) => wanted.includes(state)).length;
  const parts: string[] = [];
  const add = (n: number, words: string): void => {
    if (n > 0) parts.push(`${n} ${words}`);
  };
  add(count("pass"), "passed");
  add(count("fail"), "failed");
  add(count("holding", "waiting"), "still open");
  add(count("your-turn"), "for you");
  add(count("could-not-grade"), "could not be graded");
  return parts.join(", ");
}

/** Seconds from an anchor with a true minus sign: "+11 s", "−14 s", "0 s". */
export function offsetWords(value: number): string {
  const s = Math.round(value);
  if (s === 0) return "0 s";
  return `${s > 0 ? "+" : "\u2212"}${Math.abs(s)} s`;
}

/** The line under a check, as a sentence; names of Pods keep their letters. */
export function evidenceWords(line: string): string {
  const other = /^(first|not reached|could not grade): (.+?)\.?$/.exec(line);
  if (other) return `${capital(other[1] ?? "")}: \u201c${other[2]}\u201d.`;
  return /^[a-z]+(?![\w-])/.test(line) ? capital(line) : line;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
