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
  /** It asks how fast something came back: a passed one's evidence is that time. */
  recovers?: boolean;
}

/** lesson-format 4.6. */
export type AnswerKind =
  | "choice"
  | "number"
  | "duration"
  | "object"
  | "node"
  | "order"
  | "curve"
  | "set"
  | "match";

/** What is asked, never what is right: a prediction (`before` an event) or a question. */
export interface QuestionData {
  id: string;
  ask: string;
  answer: AnswerKind;
  /** In this student's own order: key and text. */
  choices: [string, string][];
  /** The left side of a match: key and text. */
  given?: [string, string][];
  /** How many values a curve has. */
  points?: number | null;
  /** What each value of a curve is for. */
  labels?: string[];
  unit?: string;
  /** The fault, load or mark that waits for the answer. */
  before: string | null;
}

export interface FaultData {
  id: string;
  kind: string;
  /** delay, hang, spin of `slow-app`; sigkill, oom of `kill-container`. */
  how?: string | null;
  by: string;
  target: string;
  needs: string[];
}

/** A load that may be sent. Rates in requests per second, `for` in seconds. */
export interface LoadData {
  id: string;
  rate: number;
  for: number;
  script: string;
  target: string;
  by: string;
  rates: number[];
}

export type MenuGroup = "pod" | "traffic" | "node" | "control-plane" | "config";

/** One way to break something. `refused` says why it cannot be had here. */
export interface MenuEntry {
  kind: string;
  how?: string | null;
  name: string;
  mechanism: string;
  ends: string;
  group: MenuGroup;
  refused: string | null;
  ms?: number | null;
}

export interface ExerciseData {
  id: string;
  title: string;
  task: string;
  time: number | null;
  checks: CheckData[];
  predictions: QuestionData[];
  questions?: QuestionData[];
  faults: FaultData[];
  loads?: LoadData[];
  menu?: MenuEntry[];
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
