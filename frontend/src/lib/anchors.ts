/** Moments named by a lesson: `start`, `submit`, `kill.start+20s`, `rush.end`, `enough.pass`. Pure. */
import type {
  AnswerItem,
  AttemptItem,
  CheckItem,
  FaultItem,
  Items,
  LoadItem,
  MarkerItem,
  MarkerKind,
  PredictionItem,
} from "./protocol";

const ANCHOR = /^([a-z0-9-]+)(?:\.(start|end|pass))?\s*(?:([+-])\s*([\d.]+)(ms|s|m)?)?$/i;
const UNIT: Record<string, number> = { ms: 0.001, s: 1, m: 60 };

/** Unix seconds of an anchor, or null while it has not happened (or where this page cannot know it). */
export function momentOf(anchor: string, items: Items): number | null {
  const match = ANCHOR.exec(anchor.trim());
  if (!match) return null;
  const [, id = "", edge, sign, amount, unit] = match;
  const base = baseOf(id, edge?.toLowerCase(), items);
  if (base === null) return null;
  const shift = amount ? Number(amount) * (UNIT[unit ?? "s"] ?? 1) : 0;
  return sign === "-" ? base - shift : base + shift;
}

function baseOf(id: string, edge: string | undefined, items: Items): number | null {
  if (edge === "start") return startOf(id, items);
  if (edge === "end") return endOf(id, items);
  if (edge === "pass") return passOf(id, items);
  const attempt = items["attempt/now"] as AttemptItem | undefined;
  if (id === "start") return attempt?.started ?? null;
  // The first of this try: its mark is a marker of the same kind.
  if (id === "submit")
    return markers("submit", items).find((one) => one.at >= (attempt?.started ?? 0))?.at ?? null;
  const said = (items[`prediction/${id}`] ?? items[`answer/${id}`]) as
    | PredictionItem
    | AnswerItem
    | undefined;
  return said?.at ?? null;
}

/** Nothing more can come of a moment that has not come by the hand-in. */
export function isOver(items: Items): boolean {
  const attempt = items["attempt/now"] as AttemptItem | undefined;
  return attempt !== undefined && !["running", "closing", "testing"].includes(attempt.state);
}

function passOf(id: string, items: Items): number | null {
  const check = items[`check/${id}`] as CheckItem | undefined;
  return check?.state === "pass" ? check.at : null;
}

/** The start of a fault is when it began; of one that says no such time, when its marker was set. */
function startOf(id: string, items: Items): number | null {
  const load = items[`load/${id}`] as LoadItem | undefined;
  if (load) return load.phase === "idle" ? null : load.at;
  const fault = items[`fault/${id}`] as FaultItem | undefined;
  if (!fault || fault.phase === "armed") return null;
  if (fault.began) return fault.began;
  if (fault.phase === "started") return fault.at;
  return markers("fault", items).findLast((one) => one.at <= fault.at)?.at ?? fault.at;
}

function endOf(id: string, items: Items): number | null {
  const load = items[`load/${id}`] as LoadItem | undefined;
  if (load) return load.phase === "ended" ? load.until : null;
  const fault = items[`fault/${id}`] as FaultItem | undefined;
  return fault && (fault.phase === "ended" || fault.phase === "reverted") ? fault.at : null;
}

function markers(kind: MarkerKind, items: Items): MarkerItem[] {
  return Object.values(items)
    .filter((item): item is MarkerItem => item.t === "marker" && item.kind === kind)
    .sort((a, b) => a.at - b.at);
}
