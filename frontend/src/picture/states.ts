/**
 * Pod states: outline, icon, word, colour; always all four. The word is kubectl's STATUS, verbatim.
 * The rest of the look follows from the class (`picture.css`).
 */
import type { PodItem } from "./world";

/** What lies inside the capsule. */
export type Contents = "empty" | "box" | "filling" | "init" | "lid" | "gauge" | "outline" | "question";

export interface PodState {
  /** Class of the capsule: colour and outline. */
  look:
    | "pending"
    | "creating"
    | "init"
    | "not-ready"
    | "is-ready"
    | "terminating"
    | "completed"
    | "error"
    | "crash"
    | "oom"
    | "no-image"
    | "evicted"
    | "unknown"
    | "unlisted";
  icon: string;
  /** The icon is a circle already and stands without a ring. */
  ownRing?: true;
  contents: Contents;
}

const STATE = {
  pending: { look: "pending", icon: "hourglass", contents: "empty" },
  refused: { look: "pending", icon: "ban", ownRing: true, contents: "empty" },
  creating: { look: "creating", icon: "download", contents: "filling" },
  init: { look: "init", icon: "list-start", contents: "init" },
  notReady: { look: "not-ready", icon: "minus", contents: "box" },
  ready: { look: "is-ready", icon: "check", contents: "box" },
  terminating: { look: "terminating", icon: "log-out", contents: "box" },
  completed: { look: "completed", icon: "circle-check-big", ownRing: true, contents: "lid" },
  error: { look: "error", icon: "x", contents: "box" },
  crash: { look: "crash", icon: "rotate-ccw", contents: "box" },
  oom: { look: "oom", icon: "memory-stick", contents: "gauge" },
  noImage: { look: "no-image", icon: "image-off", contents: "outline" },
  evicted: { look: "evicted", icon: "door-open", contents: "box" },
  unknown: { look: "unknown", icon: "circle-help", ownRing: true, contents: "question" },
  unlisted: { look: "unlisted", icon: "circle-help", ownRing: true, contents: "box" },
} as const satisfies Record<string, PodState>;

const BY_STATUS: Record<string, PodState> = {
  ContainerCreating: STATE.creating,
  PodInitializing: STATE.creating,
  Terminating: STATE.terminating,
  Completed: STATE.completed,
  Succeeded: STATE.completed,
  Error: STATE.error,
  CrashLoopBackOff: STATE.crash,
  OOMKilled: STATE.oom,
  ImagePullBackOff: STATE.noImage,
  ErrImagePull: STATE.noImage,
  ErrImageNeverPull: STATE.noImage,
  InvalidImageName: STATE.noImage,
  Evicted: STATE.evicted,
  Unknown: STATE.unknown,
};

/** Its scheduler looked and found no node: the message says so. */
export const isRefused = (pod: PodItem): boolean =>
  pod.status === "Pending" &&
  pod.node === "" &&
  /\d+\/\d+ nodes are available|FailedScheduling|Unschedulable/.test(pod.message);

export function stateOf(pod: PodItem): PodState {
  if (pod.deleting !== null && pod.status !== "Unknown") return STATE.terminating;
  if (pod.status === "Pending") return isRefused(pod) ? STATE.refused : STATE.pending;
  if (pod.status === "Running") return pod.ok ? STATE.ready : STATE.notReady;
  if (/^Init:\d+\/\d+$/.test(pod.status)) return STATE.init;
  const plain = pod.status.startsWith("Init:") ? pod.status.slice(5) : pod.status;
  return BY_STATUS[plain] ?? STATE.unlisted;
}

/** Bound, and no container has started: the crane still holds it. */
export const isBeingLowered = (pod: PodItem): boolean =>
  pod.node !== "" &&
  pod.deleting === null &&
  (pod.status === "Pending" || pod.status === "ContainerCreating");

/** The kubelet works on it now. */
export const isInHand = (pod: PodItem): boolean =>
  pod.node !== "" &&
  /^(Pending|ContainerCreating|PodInitializing|Terminating|Init:)/.test(
    pod.deleting !== null ? "Terminating" : pod.status,
  );

export const ICONS = [...new Set(Object.values(STATE).map((state) => state.icon))];
