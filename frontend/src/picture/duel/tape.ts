/**
 * What the frames of a record say about both sides in time: points at the moments of the record, none in between.
 * Pure: the same frames give the same tape, whether they come at once or one by one.
 */
import { type DeltaFrame, type Items, merge, type SnapshotFrame } from "../../lib/protocol";
import {
  isRunning,
  MONOLITH,
  readDuel,
  SIDES,
  type SideName,
  sideOf,
  stoppedOn,
  targetsOf,
  versionOf,
} from "./sides";

/** What came back of the requests sent since the point before. `at` unix s, `p95` ms of those that were answered. */
export interface TrafficPoint {
  at: number;
  sent: number;
  failed: number;
  p95: number | null;
}
/** Resident memory of a side's Pods from `at` on, bytes; null while none of them is measured. */
export interface MemoryPoint {
  at: number;
  bytes: number | null;
}
/** A Pod with another version of its image became ready. */
export interface Release {
  at: number;
  app: string;
  version: string;
}
/** What a fault did, counted while it ran. */
export interface FaultRun {
  id: string;
  from: number;
  /** Unix s of its end, null while it runs. */
  to: number | null;
  kind: string;
  how: string;
  /** Apps of the Pods it was done to. */
  apps: string[];
  /** Parts that did not answer at some moment of it, by side. */
  stopped: Record<SideName, Set<string>>;
}

export interface SideTape {
  traffic: TrafficPoint[];
  memory: MemoryPoint[];
  releases: Release[];
}

type Counter = { sent: number; failed: number };
const EMPTY: Counter = { sent: 0, failed: 0 };
/** Only these can change what answers; the rest of a frame needs no second look. */
const SHAPES = /^(pod|service|fault)\//;

export class Tape {
  readonly sides: Record<SideName, SideTape> = { monolith: emptySide(), micro: emptySide() };
  readonly faults: FaultRun[] = [];
  /** Moments at which the record begins anew: before them nothing is known for a while. */
  readonly breaks: number[] = [];
  first: number | null = null;
  last: number | null = null;
  seq = 0;

  #targets: Readonly<Record<string, string>>;
  #items: Items = {};
  #counted = new Map<string, Counter>();
  #versions = new Map<string, string>();
  #served = new Set<string>();
  #apps = new Map<string, string>();

  /** `targets`: where each load is sent, by its id. */
  constructor(targets: Readonly<Record<string, string>> = {}) {
    this.#targets = targets;
  }

  /** Takes the next frame; one that was taken before changes nothing. */
  add(frame: SnapshotFrame | DeltaFrame): void {
    if (frame.f === "snapshot") this.#begin(frame);
    else if (frame.seq > this.seq) this.#go(frame);
    else return;
    this.seq = frame.seq;
    this.first ??= frame.at;
    this.last = frame.at;
  }

  #begin(frame: SnapshotFrame): void {
    if (this.last !== null) this.breaks.push(frame.at);
    this.#items = { ...frame.items };
    for (const [key, item] of Object.entries(this.#items)) {
      if (item.t === "probe" || item.t === "load")
        this.#counted.set(key, { sent: item.sent, failed: item.failed });
    }
    this.#look(frame.at);
  }

  #go(frame: DeltaFrame): void {
    merge(this.#items, frame);
    for (const key of frame.del ?? []) this.#counted.delete(key);
    const keys = Object.keys(frame.set ?? {});
    for (const key of keys) this.#count(key, frame.at);
    const shape = [...keys, ...(frame.del ?? [])].some((key) => SHAPES.test(key));
    if (shape || keys.some((key) => "ok" in (frame.set?.[key] ?? {}))) this.#look(frame.at);
  }

  /** A point for what a probe or a load has sent since its point before. */
  #count(key: string, at: number): void {
    const item = this.#items[key];
    if (item?.t !== "probe" && item?.t !== "load") return;
    const id = key.slice(key.indexOf("/") + 1);
    const side = sideOf(item.t === "load" ? (this.#targets[id] ?? id) : id);
    const known = this.#counted.get(key) ?? EMPTY;
    // A counter that went back began anew with an attempt or a new run.
    const before = item.sent < known.sent ? EMPTY : known;
    const sent = item.sent - before.sent;
    const failed = Math.max(0, item.failed - before.failed);
    if (sent <= 0) return;
    this.#counted.set(key, { sent: item.sent, failed: item.failed });
    if (item.t === "probe" && !this.#speaks(key, side)) return;
    const p95 = item.t === "load" ? (item.last?.p95 ?? null) : (item.p95 ?? null);
    this.sides[side].traffic.push({ at, sent, failed, p95: failed >= sent ? null : p95 });
  }

  /** While a load runs it speaks for its side; of several probes, the one that is drawn. */
  #speaks(key: string, side: SideName): boolean {
    const { probe, load } = readDuel(this.#items, this.#targets)[side];
    return load?.[1].phase !== "running" && probe?.[0] === key;
  }

  /** What is there and what answers, after something of it changed. */
  #look(at: number): void {
    const duel = readDuel(this.#items, this.#targets);
    for (const side of SIDES) {
      this.#weigh(
        side,
        at,
        duel[side].parts.map((part) => part.memory),
      );
      for (const part of duel[side].parts) {
        for (const [key, pod] of part.pods) {
          this.#apps.set(key, pod.app);
          if (pod.ok && pod.deleting === null && !this.#served.has(key)) {
            this.#served.add(key);
            this.#ship(side, at, pod.app, versionOf(pod));
          }
        }
      }
    }
    this.#followFaults(at);
    for (const run of this.faults) {
      if (run.to !== null) continue;
      for (const side of SIDES) for (const name of stoppedOn(duel[side])) run.stopped[side].add(name);
    }
  }

  #weigh(side: SideName, at: number, memories: readonly (number | null)[]): void {
    const measured = memories.filter((bytes): bytes is number => bytes !== null);
    const bytes = measured.length > 0 ? measured.reduce((sum, one) => sum + one, 0) : null;
    const points = this.sides[side].memory;
    const last = points.at(-1);
    if (last?.bytes !== bytes && (last || bytes !== null)) points.push({ at, bytes });
  }

  /** Notes a Pod that serves another version than the newest of its app; the first one is where it started. */
  #ship(side: SideName, at: number, app: string, version: string): void {
    if (!version) return;
    const before = this.#versions.get(app);
    if (before !== undefined && before !== version) this.sides[side].releases.push({ at, app, version });
    this.#versions.set(app, version);
  }

  #followFaults(at: number): void {
    for (const [key, item] of Object.entries(this.#items)) {
      if (item.t !== "fault") continue;
      const id = key.slice(key.indexOf("/") + 1);
      const run = this.faults.findLast((one) => one.id === id);
      const from = item.began ?? (item.phase === "started" ? item.at : run?.from);
      if (isRunning(item) && from !== undefined && run?.from !== from) {
        if (run) run.to ??= at;
        const apps = targetsOf(item).flatMap((pod) => this.#apps.get(pod) ?? []);
        this.faults.push({
          id,
          from,
          to: null,
          kind: item.kind ?? "",
          how: item.how ?? "",
          apps: [...new Set(apps)],
          stopped: { monolith: new Set(), micro: new Set() },
        });
      } else if (run && !isRunning(item)) run.to ??= at;
    }
    // What was cleared with its attempt runs no more.
    for (const run of this.faults) if (run.to === null && !this.#items[`fault/${run.id}`]) run.to = at;
  }
}

const emptySide = (): SideTape => ({ traffic: [], memory: [], releases: [] });

/** Which side an app is aboard of. */
export const sideOfApp = (app: string): SideName => (app === MONOLITH ? "monolith" : "micro");
