/** What changed between two worlds, as sentences for the live region: at most one every 3 s. Pure but for the clock given. */
import { plural, podLabel } from "./words";
import type { FaultItem, PodItem, World } from "./world";

export interface Change {
  text: string;
  kind: "deleted" | "created" | "bound" | "changed" | "fault" | "ended";
  /** Said at once, over what is being said. */
  urgent?: true;
}

const startedFault = (world: World): FaultItem | undefined =>
  world.faults.map(([, fault]) => fault).find((fault) => fault.phase === "started");

/** "Pod h6wvd became Ready on worker-3, 13.6 s after the kill." */
export function changesBetween(before: World, after: World, at: number): Change[] {
  const changes: Change[] = [];
  const old = new Map(before.pods);
  const fault = startedFault(after) ?? after.faults.map(([, f]) => f).find((f) => f.phase === "ended");
  const since = fault ? sinceFault(fault, at) : "";
  for (const [key, pod] of after.pods) {
    const was = old.get(key);
    old.delete(key);
    const change = was ? podChange(was, pod, since) : newPod(pod, since);
    if (change) changes.push(change);
  }
  for (const pod of old.values())
    changes.push({ kind: "deleted", text: `Pod ${podLabel(pod)} is gone${since}.` });
  return [...faultChanges(before, after), ...nodeChanges(before, after), ...endOf(before, after), ...changes];
}

const isKill = (fault: FaultItem): boolean => !fault.kind || fault.kind.startsWith("kill");

function sinceFault(fault: FaultItem, at: number): string {
  const passed = at - (fault.began ?? fault.at);
  if (passed <= 0 || passed >= 120) return "";
  return `, ${passed.toFixed(1)} s after the ${isKill(fault) ? "kill" : "fault began"}`;
}

function newPod(pod: PodItem, since: string): Change {
  const where = pod.node ? ` on ${pod.node}` : "";
  return { kind: "created", text: `Pod ${podLabel(pod)} was created${where}: ${pod.status}${since}.` };
}

function podChange(was: PodItem, pod: PodItem, since: string): Change | null {
  const name = `Pod ${podLabel(pod)}`;
  if (was.deleting === null && pod.deleting !== null)
    return { kind: "changed", text: `${name} is ${pod.status} on ${pod.node}${since}.` };
  if (!was.ok && pod.ok) return { kind: "changed", text: `${name} became Ready on ${pod.node}${since}.` };
  if (was.ok && !pod.ok)
    return { kind: "changed", text: `${name} is no longer Ready: ${pod.status}${since}.` };
  if (!was.node && pod.node) return { kind: "bound", text: `${name} was bound to ${pod.node}${since}.` };
  if (was.status !== pod.status) return { kind: "changed", text: `${name} is now ${pod.status}${since}.` };
  if (pod.restarts > was.restarts)
    return { kind: "changed", text: `${name} restarted, ${plural(pod.restarts, "restart")}${since}.` };
  return null;
}

function faultChanges(before: World, after: World): Change[] {
  const old = new Map(before.faults);
  return after.faults.flatMap(([key, fault]): Change[] => {
    if (fault.phase !== "started" || old.get(key)?.phase === "started") return [];
    const target = after.pods.find(([pod]) => pod === fault.target)?.[1];
    return [
      {
        kind: "fault",
        urgent: true,
        text: `Fault started${faultDoes(fault, target)}.`,
      },
    ];
  });
}

function faultDoes(fault: FaultItem, target: PodItem | undefined): string {
  if (isKill(fault)) return target ? `: Pod ${podLabel(target)} is being deleted` : "";
  return fault.text ? `: ${fault.text.replace(/\.$/, "")}` : "";
}

function nodeChanges(before: World, after: World): Change[] {
  const old = new Map(before.nodes);
  return after.nodes.flatMap(([key, node]): Change[] => {
    const was = old.get(key);
    if (!was || (was.ready === node.ready && was.cordoned === node.cordoned)) return [];
    const word = node.ready === "True" ? "Ready" : "NotReady";
    return [
      {
        kind: "changed",
        text: `Node ${node.name} is now ${word}${node.cordoned ? ",SchedulingDisabled" : ""}.`,
      },
    ];
  });
}

function endOf(before: World, after: World): Change[] {
  const ended = after.sandbox?.phase === "removed" || after.sandbox?.phase === "expiring";
  if (!ended || before.sandbox?.phase === after.sandbox?.phase) return [];
  return [{ kind: "ended", urgent: true, text: after.sandbox?.text || "Your sandbox has ended." }];
}

/** "6 changes in 2 s: 1 Pod deleted, 1 created, 1 bound." */
export function burst(changes: readonly Change[], seconds: number): string {
  const count = (kind: Change["kind"]): number => changes.filter((change) => change.kind === kind).length;
  const parts = (["deleted", "created", "bound"] as const)
    .map((kind) => [kind, count(kind)] as const)
    .filter(([, n]) => n > 0)
    .map(([kind, n], i) => (i === 0 ? `${plural(n, "Pod")} ${kind}` : `${n} ${kind}`));
  const what = parts.length ? `: ${parts.join(", ")}` : "";
  return `${changes.length} changes in ${Math.max(1, Math.round(seconds))} s${what}.`;
}

/** Speaks at most one sentence per 3 s; what piles up meanwhile is said as one burst. */
export class Announcer {
  #queue: { change: Change; at: number }[] = [];
  #free = 0;
  readonly #gap: number;

  constructor(gap = 3) {
    this.#gap = gap;
  }

  add(changes: readonly Change[], now: number): void {
    for (const change of changes) this.#queue.push({ change, at: now });
  }

  /** The next sentence to say at `now` seconds, or null: nothing waits, or it is too early. */
  next(now: number): { text: string; urgent: boolean } | null {
    const urgent = this.#queue.findIndex(({ change }) => change.urgent);
    if (urgent >= 0) {
      const [first] = this.#queue.splice(urgent, 1);
      this.#free = now + this.#gap;
      return first ? { text: first.change.text, urgent: true } : null;
    }
    const first = this.#queue[0];
    if (!first || now < this.#free) return null;
    this.#free = now + this.#gap;
    const all = this.#queue.splice(0);
    if (all.length === 1) return { text: first.change.text, urgent: false };
    return {
      text: burst(
        all.map(({ change }) => change),
        now - first.at,
      ),
      urgent: false,
    };
  }
}
