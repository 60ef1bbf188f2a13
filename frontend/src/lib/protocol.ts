/** The live protocol (docs/live-protocol.md): frames, items, and the merge. Pure: no DOM, no sockets. */

export interface NodeItem {
  t: "node";
  name: string;
  ready: "True" | "False" | "Unknown";
  cordoned: boolean;
  mem: number;
  req: number;
}
export interface ContainerState {
  name: string;
  image: string;
  state: string;
  reason: string;
  ready: boolean;
  restarts: number;
}
export interface PodItem {
  t: "pod";
  name: string;
  suffix: string;
  node: string;
  status: string;
  ready: string;
  ok: boolean;
  restarts: number;
  created: number;
  deleting: number | null;
  owner: string | null;
  app: string;
  containers: ContainerState[];
  message: string;
  ip: string;
  rv: string;
  /** Resident memory in bytes as the app says it; absent while nobody measures. */
  mem?: number;
}
export interface WorkloadItem {
  t: "workload";
  kind: string;
  name: string;
  replicas: number;
  there: number;
  ready: number;
  updated: number;
  available: number;
  owner: string | null;
  rv: string;
}
export interface ServiceItem {
  t: "service";
  name: string;
  port: number;
  selector: Record<string, string>;
  endpoints: Record<string, "ready" | "not-ready" | "terminating">;
}
export interface ObjectItem {
  t: "object";
  kind: string;
  name: string;
}
export interface ComponentItem {
  t: "component";
  name: string;
  text: string;
  at: number;
}
export interface ProbeItem {
  t: "probe";
  ok: boolean;
  status: number | null;
  ms: number;
  error: string;
  sent: number;
  failed: number;
  /** Of the last whole second's answers, ms; null when none came. */
  p95?: number | null;
  /** Key of the Pod whose answer came last. */
  pod?: string | null;
  /** Answers of the last whole second, by key of the Pod. */
  pods?: Record<string, number>;
}
export interface FaultItem {
  t: "fault";
  phase: "armed" | "started" | "ended" | "reverted" | "failed";
  target: string | null;
  at: number;
  needs: string[];
  lost: number;
  /** Unix s of its start; `at` moves on with the phase. */
  began?: number | null;
  kind?: string;
  /** Of a kind that has several ways: which one. */
  how?: string | null;
  /** Keys of all that it is done to, where there are several. */
  targets?: string[];
  /** Unix s at which it ends by itself. */
  until?: number | null;
  /** What it does, one line. */
  text?: string;
}
export interface LoadItem {
  t: "load";
  phase: "idle" | "running" | "ended";
  at: number;
  until: number | null;
  rate: number;
  sent: number;
  failed: number;
  /** ms, of the last whole second; null where nothing was answered. */
  p95: number | null;
  lost: number;
  distinct: number;
  last: { sent: number; failed: number; p95: number | null } | null;
}
export type CheckState = "pass" | "fail" | "holding" | "waiting" | "could-not-grade" | "your-turn";
export interface CheckItem {
  t: "check";
  say: string;
  state: CheckState;
  points: number;
  of: number;
  line: string;
  seq: number | null;
  at: number;
}
/** An answer that was given: null until it is committed. */
interface Given {
  value: unknown;
  at: number | null;
  /** All right answers; null until they are known, empty where the record cannot say. */
  observed: unknown[] | null;
  right: boolean | null;
  /** Why the chosen choice is or is not so. */
  why?: string | null;
  /** Of a match: pairs right, pairs asked for. */
  pairs?: [number, number] | null;
}
export interface PredictionItem extends Given {
  t: "prediction";
}
export interface AnswerItem extends Given {
  t: "answer";
}
export interface AttemptItem {
  t: "attempt";
  n: number;
  state: "running" | "closing" | "testing" | "handed-in" | "marked" | "could-not-mark";
  started: number;
  until: number | null;
  points: number;
  of: number;
  text: string;
}
export interface HintItem {
  t: "hint";
  offered: boolean;
  id: string;
  say: string;
  n: number;
  most: number;
}
export type SandboxPhase =
  | "requested"
  | "preparing"
  | "ready"
  | "open"
  | "resetting"
  | "expiring"
  | "removed";
export interface SandboxItem {
  t: "sandbox";
  phase: SandboxPhase;
  phases: { name: string; ms: number | null }[];
  expires: number | null;
  place: number;
  text: string;
}
export type MarkerKind =
  | "event"
  | "you"
  | "fault"
  | "prediction"
  | "verdict"
  | "hint"
  | "submit"
  | "reset"
  | "gap";
export interface MarkerItem {
  t: "marker";
  kind: MarkerKind;
  at: number;
  seq: number;
  text: string;
  of: string | null;
}

export type Item =
  | NodeItem
  | PodItem
  | WorkloadItem
  | ServiceItem
  | ObjectItem
  | ComponentItem
  | ProbeItem
  | FaultItem
  | LoadItem
  | CheckItem
  | PredictionItem
  | AnswerItem
  | AttemptItem
  | HintItem
  | SandboxItem
  | MarkerItem;
export type Items = Record<string, Item>;
export type ItemOf<T extends Item["t"]> = Extract<Item, { t: T }>;

export interface SnapshotFrame {
  f: "snapshot";
  epoch: number;
  seq: number;
  at: number;
  items: Items;
}
export interface DeltaFrame {
  f: "delta";
  epoch: number;
  seq: number;
  /** First entry of a coalesced frame; absent = `seq`. */
  from?: number;
  at: number;
  set?: Record<string, Record<string, unknown>>;
  del?: string[];
}
export interface BeatFrame {
  f: "beat";
  behind: number;
  at: number;
  stale_since: number | null;
}
export interface ByeFrame {
  f: "bye";
  code: string;
  text: string;
}
export type Frame = SnapshotFrame | DeltaFrame | BeatFrame | ByeFrame;

/** Answer of the history and recordings endpoints (section 3). */
export interface History {
  epoch: number;
  start: SnapshotFrame;
  frames: DeltaFrame[];
  seconds: number;
  label: string;
  /** True when no cluster ever did this: drawn from a lesson's files, for its author. */
  simulated?: boolean;
  /** Of a recording: what judges a viewer's own answers. Null where the exercise tells no outcome. */
  practice?: PracticeData | null;
}

/** Keys of `asked`, values of `checks` (by id, those on what somebody said): keys of items. */
export interface PracticeData {
  asked: Record<string, { tolerance: string | null; why: Record<string, string> }>;
  checks: Record<string, string>;
}

/** Where a page stands in the record. */
export interface Position {
  epoch: number;
  seq: number;
}

/**
 * Merges a delta into `items` in place (L2): fields in `set` replace fields, keys in `del` go.
 * A key that is deleted and set in the same frame is gone first, then new.
 */
export function merge(items: Items, delta: Pick<DeltaFrame, "set" | "del">): Items {
  for (const key of delta.del ?? []) delete items[key];
  for (const [key, fields] of Object.entries(delta.set ?? {})) {
    items[key] = { ...items[key], ...fields } as Item;
  }
  return items;
}

export type Verdict = "merge" | "ignore" | "gap";

/** What to do with a delta at `mine` (L3, L4, L5). */
export function judge(mine: Position, delta: Pick<DeltaFrame, "epoch" | "seq" | "from">): Verdict {
  if (delta.epoch !== mine.epoch) return "gap";
  if (delta.seq <= mine.seq) return "ignore";
  return (delta.from ?? delta.seq) === mine.seq + 1 ? "merge" : "gap";
}

/** Items at one moment of a history: the start and every frame up to `seq` merged over it. */
export function foldTo(history: Pick<History, "start" | "frames">, upTo: number): Items {
  const items: Items = { ...history.start.items };
  for (let i = 0; i < upTo && i < history.frames.length; i++) merge(items, history.frames[i] as DeltaFrame);
  return items;
}

/** How many frames of a history have happened at time `at` (unix s). Frames are in order of `at`. */
export function framesUntil(frames: readonly Pick<DeltaFrame, "at">[], at: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((frames[mid] as DeltaFrame).at <= at) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Close codes after which coming back makes no sense (L9). */
export const FINAL_CLOSES: ReadonlyMap<number, string> = new Map([
  [4001, "You are signed out. Sign in again to go on."],
  [4003, "This sandbox belongs to somebody else."],
  [4004, "This sandbox is not there any more. Start a new one."],
  [4010, "This sandbox was removed. Start a new one; your marks are kept."],
]);

/** Seconds to wait before try `n` (1, 2, …): 0.25 doubling to 5, jitter of a quarter either way (L9). */
export function backOff(n: number, random: () => number = Math.random): number {
  const base = Math.min(5, 0.25 * 2 ** (n - 1));
  return base * (0.75 + 0.5 * random());
}

export type Freshness = "live" | "late" | "stale";

/** Seconds of silence and the server's own `behind`, as the badge reads them (L10). */
export function freshness(silence: number, behind: number, staleSince: number | null): Freshness {
  if (silence >= 10 || staleSince !== null) return "stale";
  if (silence >= 6 || behind > 2) return "late";
  return "live";
}
