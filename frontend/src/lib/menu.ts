/** The menu "Break something": its order, its words, and what it asks before it acts. Pure. */
import type { MenuEntry, MenuGroup } from "./page";
import type { FaultItem, Items, PodItem } from "./protocol";

export interface Group {
  group: MenuGroup;
  title: string;
  /** Why none of the group can be had, said once; "" where the entries differ. */
  note: string;
  entries: MenuEntry[];
}

/** What happens to one Pod stands left, what happens to what is shared stands right. */
const COLUMNS: readonly (readonly MenuGroup[])[] = [
  ["pod", "traffic"],
  ["node", "control-plane", "config"],
];

/** The two columns of the menu; groups without an entry are left out. `node` = where the chosen Pod runs. */
export function columnsOf(menu: readonly MenuEntry[], node: string): Group[][] {
  return COLUMNS.map((groups) =>
    groups.flatMap((group) => {
      const entries = menu.filter((one) => one.group === group);
      return entries.length > 0
        ? [{ group, title: titleOf(group, node), note: noteOf(entries), entries }]
        : [];
    }),
  );
}

function titleOf(group: MenuGroup, node: string): string {
  switch (group) {
    case "pod":
      return "This Pod";
    case "traffic":
      return "Traffic";
    case "node":
      return node ? `Node ${node}` : "Node";
    case "control-plane":
      return "Control plane";
    case "config":
      return "Configuration and images";
  }
}

function noteOf(entries: readonly MenuEntry[]): string {
  const first = entries[0]?.refused ?? "";
  return entries.length > 1 && entries.every((one) => one.refused === first) ? first : "";
}

/** Identity of an entry in the menu. */
export const entryKey = (entry: MenuEntry): string => `${entry.kind}/${entry.how ?? ""}`;

/** The Pods that can be broken, oldest first: those that are not on their way out. */
export function podsToBreak(items: Items): [key: string, pod: PodItem][] {
  return Object.entries(items)
    .filter((entry): entry is [string, PodItem] => entry[1].t === "pod" && entry[1].deleting === null)
    .sort(([, a], [, b]) => a.created - b.created || a.name.localeCompare(b.name));
}

/** A line of the menu with the chosen Pod's own names in it. */
export function filled(text: string, pod: PodItem | null): string {
  return text.replaceAll("POD", pod?.name ?? "this Pod").replaceAll("NODE", pod?.node || "its node");
}

/** Whether the entry acts on the chosen Pod (and so needs one). */
export const needsPod = (entry: MenuEntry): boolean => entry.group === "pod" || entry.kind === "cut-traffic";

/** How it ends, in a few words beside the name. */
export function endsOf(entry: MenuEntry, pod: PodItem | null): string {
  if (entry.kind !== "kill-pod" || !pod) return filled(entry.ends, pod);
  return pod.owner ? "a new one is made" : "nothing makes another";
}

/** The question at the foot and what is known to come of it. */
export function confirmOf(
  entry: MenuEntry,
  pod: PodItem | null,
  items: Items,
): { ask: string; outcome: string } {
  if (entry.kind === "kill-pod") return { ask: "Delete this Pod?", outcome: pod ? heirOf(pod, items) : "" };
  return {
    ask: `${capital(filled(entry.name, pod))}?`,
    outcome: entry.ends ? `${capital(filled(entry.ends, pod))}.` : "",
  };
}

/** Who makes another one: the Deployment above the ReplicaSet, the owner itself, or nobody. */
function heirOf(pod: PodItem, items: Items): string {
  const owner = pod.owner ? items[pod.owner] : undefined;
  if (owner?.t !== "workload") return "No controller owns it: nothing makes another.";
  const above = owner.owner ? items[owner.owner] : undefined;
  return `The ${above?.t === "workload" ? above.kind : owner.kind} will make another.`;
}

/** The words on the button that acts: "Delete x2k9p", "Break DNS". */
export function actWords(entry: MenuEntry, pod: PodItem | null): string {
  if (entry.kind === "kill-pod") return `Delete ${pod?.suffix ?? "it"}`;
  return filled(entry.name.split(":")[0] ?? entry.name, pod);
}

/** The faults that run now, the one that ends last at the end. */
export function runningFaults(items: Items): FaultItem[] {
  return Object.values(items)
    .filter((item): item is FaultItem => item.t === "fault" && item.phase === "started")
    .sort((a, b) => (a.until ?? 0) - (b.until ?? 0));
}

/** Seconds until a fault ends by itself, or null where it has no end of its own. */
export function secondsLeft(fault: FaultItem, now: number): number | null {
  return fault.until ? Math.max(0, Math.ceil(fault.until - now)) : null;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
