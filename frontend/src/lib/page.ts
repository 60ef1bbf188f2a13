/** What the server tells the page: the JSON of `<script id="lesson-data">` (docs/architecture.md). */

export type Gate = "none" | "soft" | "hard";
export type Role = "student" | "instructor" | "author" | "operator";

export interface StepData {
  id: string;
  title: string;
  gate: Gate | "" | null;
  needs: string[];
  minutes?: number | null;
}

export interface CheckData {
  id: string;
  say: string;
  points: number;
}

export interface PredictionData {
  id: string;
  ask: string;
  answer: string;
  choices: [string, string][];
  before: string | null;
}

export interface FaultData {
  id: string;
  kind: string;
  by: string;
  target: string;
  needs: string[];
}

export interface ExerciseData {
  id: string;
  title: string;
  task: string;
  time: number | null;
  checks: CheckData[];
  predictions: PredictionData[];
  faults: FaultData[];
  files: Record<string, string>;
  /** What the lesson gave, of those files that were saved since. */
  originals?: Record<string, string>;
}

export interface ClusterState {
  state: "absent" | "building" | "starting" | "ready" | "failed";
  text: string;
  done: number;
  total: number;
  seconds_left: number | null;
  reason: string | null;
  remedy: string | null;
}

export interface SandboxData {
  id: string;
  phase: string;
  readOnly: boolean;
  /** Whose sandbox it is, when an instructor looks on. */
  owner?: string | null;
  namespace?: string | null;
}

export interface PageUrls {
  /** POST here makes (or returns) my sandbox. */
  start: string;
  /** Prefix of a sandbox's actions; `{id}` stands for the sandbox, else it is appended. */
  api: string;
  socket: string;
  terminal: string;
  clusterSocket: string;
  next: string | null;
  home: string;
}

export interface PageData {
  course: { slug: string; title: string; href: string };
  lesson: { slug: string; title: string; minutes: number; hash: string; n: number };
  steps: StepData[];
  exercise: ExerciseData | null;
  params: Record<string, unknown>;
  me: { name: string; role: Role; initials: string } | null;
  sandbox: SandboxData | null;
  recording: string | null;
  cluster: ClusterState;
  urls: PageUrls;
  csrf: string;
}

/** Reads the page's data. `null` when the page carries none (course home, sign-in). */
export function readPageData(root: Document = document): PageData | null {
  const script = root.getElementById("lesson-data");
  if (!script?.textContent) return null;
  return JSON.parse(script.textContent) as PageData;
}

/**
 * A URL of a sandbox from what the server gave: a template with `{id}`, or a prefix that the id follows.
 * `rest` is what stands behind the id (`"predict"`, `"history"`).
 */
export function sandboxUrl(template: string, id: string, rest = ""): string {
  if (template.includes("{id}")) {
    const filled = template.replace("{id}", id);
    return rest ? `${filled.replace(/\/?$/, "/")}${rest}` : filled;
  }
  const base = template.replace(/\/?$/, "/");
  return rest ? `${base}${id}/${rest}` : `${base}${id}/`;
}

/** `ws:` or `wss:` beside the page's own scheme; absolute URLs stay as they are. */
export function socketUrl(path: string, here: { protocol: string; host: string } = location): string {
  if (/^wss?:/.test(path)) return path;
  return `${here.protocol === "https:" ? "wss:" : "ws:"}//${here.host}${path}`;
}
