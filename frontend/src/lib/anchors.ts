/** Moments named by a lesson: `kill.start`, `kill.start+20s`, `kill.end`. Pure. */
import type { FaultItem, Items, MarkerItem } from "./protocol";

const ANCHOR = /^([a-z0-9-]+)\.(start|end)\s*(?:([+-])\s*([\d.]+)(ms|s|m)?)?$/i;
const UNIT: Record<string, number> = { ms: 0.001, s: 1, m: 60 };

/**
 * Unix seconds of an anchor, or null while it has not happened. The start of a fault is when its marker was
 * set; without a marker, the item's own time.
 */
export function momentOf(anchor: string, items: Items): number | null {
  const match = ANCHOR.exec(anchor.trim());
  if (!match) return null;
  const [, id = "", edge, sign, amount, unit] = match;
  const base = edge?.toLowerCase() === "start" ? startOf(id, items) : endOf(id, items);
  if (base === null) return null;
  const shift = amount ? Number(amount) * (UNIT[unit ?? "s"] ?? 1) : 0;
  return sign === "-" ? base - shift : base + shift;
}

function startOf(id: string, items: Items): number | null {
  const fault = items[`fault/${id}`] as FaultItem | undefined;
  if (!fault || fault.phase === "armed") return null;
  if (fault.phase === "started") return fault.at;
  const marker = faultMarkers(items).findLast((one) => one.at <= fault.at);
  return marker?.at ?? fault.at;
}

function endOf(id: string, items: Items): number | null {
  const fault = items[`fault/${id}`] as FaultItem | undefined;
  return fault && (fault.phase === "ended" || fault.phase === "reverted") ? fault.at : null;
}

function faultMarkers(items: Items): MarkerItem[] {
  return Object.values(items)
    .filter((item): item is MarkerItem => item.t === "marker" && item.kind === "fault")
    .sort((a, b) => a.at - b.at);
}
