/** From the tape to what the charts show: window, scales, gaps with their words, and the sums under them. Pure. */
import { offsetWords } from "../../lib/words";
import type { SideName } from "./sides";
import type { FaultRun, MemoryPoint, SideTape, Tape, TrafficPoint } from "./tape";

/** Seconds on one screen, and how much of it is kept free after the newest moment. */
export const SHOWN = 90;
const AHEAD = 10;
/** Two points further apart than this have nothing between them: summaries come once a second. */
export const LONGEST_STEP = 2.5;
const MI = 2 ** 20;

export type Range = [from: number, to: number];
export type RowName = "latency" | "failed" | "memory";
export const ROWS: readonly RowName[] = ["latency", "failed", "memory"];
/** What uPlot takes: times and values; null breaks the line. */
export type Line = [times: number[], values: (number | null)[]];

export interface Gap {
  from: number;
  to: number;
  words: string;
  /** The same where there is little room. */
  short: string;
}

const gap = (from: number, to: number, words: string): Gap => ({
  from,
  to,
  words,
  short: words.split(" ").slice(0, 2).join(" "),
});

/** The stretch of time drawn: it ends shortly after the newest moment, or lies round the playhead when that is earlier. */
export function windowOf(first: number, last: number, head: number): Range {
  const end = Math.max(first + SHOWN, last + AHEAD);
  if (head >= end - SHOWN) return [end - SHOWN, end];
  const from = Math.max(first, head - SHOWN / 2);
  return [from, from + SHOWN];
}

/** Zero of the time axis: the start of the newest fault on the screen, else where the record begins. */
export function zeroOf(tape: Pick<Tape, "faults" | "first">, [from, to]: Range): number {
  const fault = tape.faults.findLast((run) => run.from >= from && run.from <= to);
  return fault?.from ?? tape.first ?? from;
}

/** Every 15 s from zero that lies in the window. */
export function ticksOf([from, to]: Range, zero: number): number[] {
  const first = Math.ceil((from - zero) / 15);
  const last = Math.floor((to - zero) / 15);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => zero + 15 * (first + i));
}
export const tickWords = (at: number, zero: number): string => offsetWords(at - zero);

/** 0 to the next of 1, 2, 4, 5, 10 … above the largest value, so that half of it is a round number too. */
export function topOf(values: readonly (number | null)[], least: number): number {
  const most = Math.max(least, ...values.map((value) => value ?? 0));
  const ten = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 4, 5, 10].find((step) => step * ten >= most) ?? 10) * ten;
}

/** One row of one side. `last`: newest moment known, unix s; nothing is drawn after it. */
export function lineOf(
  row: RowName,
  side: SideTape,
  breaks: readonly number[],
  [from, to]: Range,
  last: number,
): Line {
  if (row === "memory") return memoryLine(side.memory, breaks, from, Math.min(to, last));
  const times: number[] = [];
  const values: (number | null)[] = [];
  let before: TrafficPoint | undefined;
  for (const point of side.traffic) {
    if (point.at < from - LONGEST_STEP || point.at > to) continue;
    if (before && point.at - before.at > LONGEST_STEP) {
      times.push(before.at + 0.001);
      values.push(null);
    }
    times.push(point.at);
    values.push(row === "latency" ? point.p95 : Math.min(100, (100 * point.failed) / point.sent));
    before = point;
  }
  return times.length > 0 ? [times, values] : nothing(from, to);
}

/** A line without a value: the chart keeps its scales. */
const nothing = (from: number, to: number): Line => [
  [from, to],
  [null, null],
];

/** Memory keeps its value until the record says another: a step, up to the newest moment. */
function memoryLine(
  points: readonly MemoryPoint[],
  breaks: readonly number[],
  from: number,
  to: number,
): Line {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [i, point] of points.entries()) {
    const next = points[i + 1]?.at ?? to;
    const torn = breaks.find((at) => at > point.at && at <= next);
    const until = Math.min(torn ?? next, to);
    if (until < from || point.at > to) continue;
    const value = point.bytes === null ? null : point.bytes / MI;
    times.push(Math.max(point.at, from), until);
    values.push(value, value);
    if (torn !== undefined && until < next) {
      times.push(until + 0.001);
      values.push(null);
    }
  }
  return times.length > 0 ? [times, values] : nothing(from, to);
}

/** Where a line has nothing to show, and why; stretches shorter than two steps stay without words. */
export function gapsOf(row: RowName, side: SideTape, [from, to]: Range, last: number): Gap[] {
  const end = Math.min(to, last);
  if (row === "memory") return side.memory.length === 0 ? [gap(from, end, "not measured")] : [];
  const inside = side.traffic.filter((point) => point.at >= from && point.at <= to);
  const first = inside[0];
  if (!first) return [gap(from, end, "no requests")];
  const gaps: Gap[] = [];
  for (const [i, point] of inside.entries()) {
    const after = inside[i + 1]?.at ?? end;
    if (after - point.at > 2 * LONGEST_STEP) gaps.push(gap(point.at, after, "no requests"));
  }
  return row === "latency" ? [...untimed(inside), ...gaps] : gaps;
}

/** Requests went out and no time came back: none was answered, or nobody took the time. */
function untimed(points: readonly TrafficPoint[]): Gap[] {
  const gaps: Gap[] = [];
  let open: Gap | null = null;
  for (const point of points) {
    const words =
      point.p95 !== null ? "" : point.failed >= point.sent ? "no replies to time" : "replies not timed";
    if (open && open.words === words) {
      open.to = point.at;
      continue;
    }
    if (open) open.to = point.at;
    open = words ? gap(point.at, point.at, words) : null;
    if (open) gaps.push(open);
  }
  return gaps.filter((gap) => gap.to - gap.from > LONGEST_STEP);
}

export interface Sums {
  /** Seconds in which every request failed, and in which some did. */
  silent: number;
  failing: number;
  /** Share of the requests that failed, 0 to 1; null when none was sent. */
  share: number | null;
  /** Bytes; null when nobody measured. */
  peak: number | null;
}

/** Sums of a side from `from` to `to`, unix s. A point stands for the time since the point before it. */
export function sumsOf(side: SideTape, from: number, to: number): Sums {
  let silent = 0;
  let failing = 0;
  let sent = 0;
  let failed = 0;
  let before: number | null = null;
  for (const point of side.traffic) {
    const since = before === null || point.at - before > LONGEST_STEP ? 1 : point.at - before;
    before = point.at;
    if (point.at <= from || point.at > to) continue;
    sent += point.sent;
    failed += point.failed;
    if (point.failed >= point.sent) silent += since;
    else if (point.failed > 0) failing += since;
  }
  const weighed = side.memory.filter((point) => point.at <= to && point.bytes !== null);
  const peak = weighed.length > 0 ? Math.max(...weighed.map((point) => point.bytes ?? 0)) : null;
  return { silent, failing, share: sent > 0 ? failed / sent : null, peak };
}

/** The fault the scene speaks of: the newest that had begun by `at`. */
export const faultAt = (tape: Pick<Tape, "faults">, at: number): FaultRun | null =>
  tape.faults.findLast((run) => run.from <= at) ?? null;

/** How long after its end a fault is still what the sums are about, seconds. */
const AFTER = 30;

/** From when to when the sums under the charts count: a fault and half a minute after it, else the whole record. */
export function countedSpan(tape: Pick<Tape, "faults" | "first">, at: number): Range {
  const fault = faultAt(tape, at);
  if (!fault) return [(tape.first ?? at) - 1, at];
  return [fault.from, fault.to === null ? at : Math.min(at, fault.to + AFTER)];
}

export const mebibytes = (bytes: number): number => Math.round(bytes / MI);

/** Whether a fault was done to something of this side; one that names no target may concern both. */
export const concerns = (fault: FaultRun, side: SideName): boolean =>
  fault.apps.length === 0 || fault.apps.some((app) => (app === "monolith") === (side === "monolith"));
