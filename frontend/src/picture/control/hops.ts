/** A chain of causes as the server tells it, and where each of its hops stands in the opened bridge. Pure. */
import type { QuestionData } from "../../lib/page";
import type { Items } from "../../lib/protocol";

/** One hop (live protocol, section 3). `at` unix s; `seq` the entry that shows it, null where it shows by its effect. */
export interface Hop {
  n: number;
  actor: string;
  text: string;
  evidence: string;
  at: number;
  seq: number | null;
  of: string | null;
  how: "observed" | "inferred";
  missing: string | null;
  stage?: string;
}
export interface Chain {
  seq?: number | null;
  hops: Hop[];
}

export type RoomName = "you" | "api-server" | "etcd" | "controller-manager" | "scheduler" | "service";
/** A room of the bridge, or a node's kubelet or Pod: `kubelet/worker-1`, `pod/worker-1`. */
export type Place = RoomName | `kubelet/${string}` | `pod/${string}`;

const ROOMS: Record<string, RoomName> = {
  student: "you",
  platform: "you",
  "api-server": "api-server",
  etcd: "etcd",
  scheduler: "scheduler",
};

/** Where the hop's actor is. A node's own are on the node of the Pod they act upon; "" before that is known. */
export function placeOf(hop: Hop, items: Items): Place {
  const room = ROOMS[hop.actor];
  if (room) return room;
  if (hop.stage === "endpoints") return "service";
  const pod = hop.of ? items[hop.of] : undefined;
  const node = pod?.t === "pod" ? pod.node : "";
  if (hop.actor === "kubelet") return `kubelet/${node}`;
  if (hop.actor === "container" || hop.actor === "probe") return `pod/${node}`;
  return "controller-manager";
}

/** `seen`: drawn. `now`: drawn last. `ahead`: not reached by the steps. `unborn`: later than the moment shown. */
export type HopState = "seen" | "now" | "ahead" | "unborn";

/** `step`: how many hops are drawn; `moment`: unix s of the playhead. */
export function stateOfHop(hop: Hop, step: number, moment: number): HopState {
  if (hop.at > moment + 0.05) return "unborn";
  if (hop.n > step) return "ahead";
  return hop.n === step ? "now" : "seen";
}

/** "0.00 s", "+0.05 s", "+13.6 s": time since the first hop, "≈" before one that no entry dates. */
export function sinceWords(hop: Hop, first: Hop): string {
  const seconds = Math.max(0, hop.at - first.at);
  if (hop.n === first.n) return "0.00 s";
  const words = `+${seconds < 1 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  return hop.seq === null ? `≈ ${words}` : words;
}

/** The stage in the lesson's own word; "" where the chain names none. */
export function stageWord(hop: Hop): string {
  return hop.stage ?? "";
}

/** One sentence for the text view: "3. etcd: Deployment web is written down. Observed: revision 812. +0.05 s." */
export function hopSentence(hop: Hop, first: Hop): string {
  const how =
    hop.how === "observed" ? `Observed: ${hop.evidence}.` : `Inferred: ${hop.evidence}. ${hop.missing ?? ""}`;
  return `${hop.n}. ${hop.text.replace(/\.$/, "")}. ${how.trim()} ${sinceWords(hop, first)}.`;
}

/** Item key of the prediction that asks for the order of the steps and is not open yet; null where none is. */
export function unsaidOrder(
  predictions: readonly Pick<QuestionData, "id" | "answer">[],
  isOpen: (key: string) => boolean,
): string | null {
  const keys = predictions.filter(({ answer }) => answer === "order").map(({ id }) => `prediction/${id}`);
  return keys.find((key) => !isOpen(key)) ?? null;
}

/** When the chain may have a newer end: whichever of the Pods are ready now. */
export function readyKeys(items: Items): string {
  return Object.keys(items)
    .filter((key) => {
      const item = items[key];
      return item?.t === "pod" && item.ok;
    })
    .sort()
    .join(" ");
}
