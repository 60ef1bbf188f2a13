/** The class table, live: the server pushes all rows when something changed; the table is drawn from them. */
import { Feed } from "../lib/feed";
import { socketUrl } from "../lib/page";
import type { CheckState } from "../lib/protocol";
import { CHECK_WORDS, offsetWords } from "../lib/words";

export interface ClassRow {
  id: string;
  person: number;
  name: string;
  step: string;
  here: boolean;
  seen: number | null;
  hints: string;
  lesson: string;
  lesson_title: string;
  phase: string;
  attempt: number;
  state: string;
  checks: { id: string; say: string; state: CheckState; at: number | null }[];
  passed: number;
  of: number;
  stuck: string;
  /** What this person's answers show: id of the prediction or question, id of the misconception. */
  misconceptions: { of: string; id: string }[];
  mark: string;
  href: string;
}

/** The life of a sandbox in an instructor's words; `open` without an attempt is being made ready too. */
const PHASES: Record<string, string> = {
  requested: "waiting for a place",
  preparing: "sandbox is being made",
  ready: "shop is opening",
  open: "shop is open",
  resetting: "resetting",
  expiring: "time is up",
  removed: "left, sandbox ended",
};

const LETTERS: Record<CheckState, string> = {
  pass: "✓",
  fail: "×",
  holding: "=",
  waiting: "…",
  "could-not-grade": "?",
  "your-turn": "✎",
};

export function wireClassTable(view: HTMLElement): void {
  const body = view.querySelector<HTMLElement>("#class-table tbody");
  const data = document.getElementById("class-rows")?.textContent;
  const live = document.getElementById("class-live");
  if (!body) return;
  const show = (rows: ClassRow[]): void => {
    drawRows(body, rows);
    drawFigures(document.getElementById("class-figures"), rows);
    drawThoughts(document.getElementById("class-thoughts"), rows);
  };
  if (data) show(JSON.parse(data) as ClassRow[]);
  setInterval(() => tellTimes(body), 5_000);
  const tell = (on: boolean, text: string): void => {
    if (!live || live.textContent === text) return;
    live.textContent = text;
    live.classList.toggle("on", on);
  };
  new Feed(socketUrl(view.dataset.classSocket ?? ""), {
    onOpen: () => tell(true, "LIVE"),
    onText: (text) => {
      const frame = JSON.parse(text) as { f: string; rows?: ClassRow[] };
      if (frame.f === "class" && frame.rows) show(frame.rows);
    },
    onLost: (n) => tell(false, `Reconnecting, try ${n}. The table is as last known.`),
    onFinal: (_code, text) => tell(false, text),
  });
}

/** Numbers over the table: students, at work, stuck, marked. */
export function figuresOf(rows: readonly ClassRow[]): {
  students: number;
  working: number;
  stuck: number;
  marked: number;
} {
  const count = (test: (row: ClassRow) => boolean): number =>
    new Set(rows.filter(test).map((row) => row.person)).size;
  return {
    students: count(() => true),
    working: count((row) => row.state === "running"),
    stuck: count((row) => row.stuck !== ""),
    marked: count((row) => row.mark !== ""),
  };
}

function drawFigures(target: HTMLElement | null, rows: readonly ClassRow[]): void {
  if (!target) return;
  const figures = figuresOf(rows);
  const parts: [number, string, string][] = [
    [figures.students, figures.students === 1 ? "student" : "students", ""],
    [figures.working, "at work", ""],
    [figures.stuck, "stuck", figures.stuck > 0 ? "stuck" : ""],
    [figures.marked, "marked", ""],
  ];
  target.replaceChildren(
    ...parts.map(([n, word, kind]) => element("span", kind, [element("b", "", [String(n)]), word])),
  );
}

/** Misconceptions in the class's answers, most frequent first: each person once. */
export function thoughtsOf(rows: readonly ClassRow[]): { id: string; where: string; people: number }[] {
  const people = new Map<string, { id: string; where: string; who: Set<number> }>();
  for (const row of rows) {
    for (const { of, id } of row.misconceptions) {
      const where = `${row.lesson_title}, ${of}`;
      const key = `${where}, ${id}`;
      const known = people.get(key) ?? { id, where, who: new Set<number>() };
      known.who.add(row.person);
      people.set(key, known);
    }
  }
  return [...people.values()]
    .map(({ id, where, who }) => ({ id, where, people: who.size }))
    .sort((a, b) => b.people - a.people || (a.where + a.id).localeCompare(b.where + b.id));
}

function drawThoughts(target: HTMLElement | null, rows: readonly ClassRow[]): void {
  if (!target) return;
  const parts = thoughtsOf(rows).map(({ id, where, people }) => {
    const words = `${id.replaceAll("-", " ")} `; // an author names it by its sentence: pods-are-repaired
    const part = element("span", "", [words, element("b", "", [String(people)])]);
    part.title = where;
    return part;
  });
  const title = element("b", "", ["Misconceptions shown"]);
  target.replaceChildren(...(parts.length > 0 ? [title, ...parts.flatMap((part) => [" ", part])] : []));
}

/** Draws rows in place, so that a focused link keeps its focus. */
function drawRows(body: HTMLElement, rows: readonly ClassRow[]): void {
  const old = new Map(
    [...body.querySelectorAll<HTMLElement>("tr[data-row]")].map((tr) => [tr.dataset.row, tr]),
  );
  const drawn = rows.map((row) => {
    const key = JSON.stringify({ ...row, seen: row.here ? 0 : row.seen });
    const before = old.get(row.id);
    if (before?.dataset.key === key) return before;
    const tr = rowOf(row);
    tr.dataset.key = key;
    return tr;
  });
  const focused = document.activeElement?.closest<HTMLElement>("tr[data-row]")?.dataset.row;
  body.replaceChildren(...(drawn.length > 0 ? drawn : [emptyRow()]));
  if (focused) body.querySelector<HTMLElement>(`tr[data-row="${CSS.escape(focused)}"] a`)?.focus();
}

function emptyRow(): HTMLElement {
  const td = element("td", "", [
    "Nobody has joined yet. Give the class the address and the code above; they appear here by themselves.",
  ]);
  td.setAttribute("colspan", "8");
  return element("tr", "empty", [td]);
}

function rowOf(row: ClassRow): HTMLElement {
  const name = element("th", "", [row.name]);
  name.setAttribute("scope", "row");
  const where = row.lesson_title
    ? element("td", "", [row.lesson_title, element("small", "", [whereWords(row)])])
    : element("td", "none", ["not started yet"]);
  const tr = element("tr", row.stuck ? "is-stuck" : "", [
    name,
    where,
    element("td", "", [checksOf(row)]),
    element("td", "stuck", [row.stuck]),
    element("td", "", [row.hints]),
    lastSign(row),
    element("td", "mark", [row.mark]),
    element("td", "", row.href ? [linkTo(row)] : []),
  ]);
  tr.dataset.row = row.id;
  // The column's name, for screens on which a row is a card.
  for (const [i, label] of ["", "Where", "Checks", "Stuck on", "Hint", "Last sign", "Mark", ""].entries()) {
    const cell = tr.children[i] as HTMLElement | undefined;
    if (cell && label) cell.dataset.label = label;
  }
  return tr;
}

/** "here now", or how long ago the student last gave a sign of life; the time moves on by itself. */
function lastSign(row: ClassRow): HTMLElement {
  const td = element("td", row.here ? "here" : "away", [signWords(row.here, row.seen, Date.now() / 1000)]);
  td.dataset.seen = row.here || !row.seen ? "" : String(row.seen);
  return td;
}

function tellTimes(body: HTMLElement): void {
  for (const td of body.querySelectorAll<HTMLElement>("td[data-seen]")) {
    if (td.dataset.seen) td.textContent = signWords(false, Number(td.dataset.seen), Date.now() / 1000);
  }
}

export function signWords(here: boolean, seen: number | null, now: number): string {
  if (here) return "here now";
  if (!seen) return "";
  const minutes = Math.floor((now - seen) / 60);
  if (minutes < 1) return "a moment ago";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(seen * 1000).toLocaleDateString([], { day: "numeric", month: "short" });
}

export function whereWords(row: Pick<ClassRow, "phase" | "state" | "attempt" | "step">): string {
  const doing: Record<string, string> = {
    running: "working",
    closing: "closing",
    testing: "being tested by us",
    "handed-in": "handed in",
    marked: "marked",
    "could-not-mark": "could not be marked yet",
  };
  const words = [
    row.step,
    ((row.phase === "removed" ? "" : doing[row.state]) || PHASES[row.phase]) ?? row.phase,
  ]
    .filter(Boolean)
    .join(", ");
  return row.attempt > 1 ? `${words}, try ${row.attempt}` : words;
}

function checksOf(row: ClassRow): HTMLElement {
  const first = Math.min(...row.checks.map((check) => check.at ?? Number.POSITIVE_INFINITY));
  const marks = row.checks.map((check) => {
    const when =
      check.at && check.state === "pass"
        ? `, ${clock(check.at)}${check.at > first ? ` (${offsetWords(check.at - first)})` : ""}`
        : "";
    const text = `${check.say}: ${CHECK_WORDS[check.state] ?? check.state}${when}`;
    const mark = element("span", check.state, [LETTERS[check.state] ?? "?"]);
    mark.title = text;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", text);
    return mark;
  });
  const count = row.of > 0 ? [element("em", "", [`${row.passed} of ${row.of}`])] : [];
  return element("div", "", [element("div", "marks", [...marks, ...count]), ...newestOf(row)]);
}

/** Which check passed last, and when: readable without pointing at a mark. */
function newestOf(row: ClassRow): HTMLElement[] {
  const passed = row.checks.filter((check) => check.state === "pass" && check.at);
  const newest = passed.reduce<ClassRow["checks"][number] | null>(
    (best, check) => ((check.at ?? 0) > (best?.at ?? 0) ? check : best),
    null,
  );
  return newest?.at ? [element("small", "", [`${clock(newest.at)} ${newest.say}`])] : [];
}

function clock(at: number): string {
  return new Date(at * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function linkTo(row: ClassRow): HTMLElement {
  const link = element("a", "button", ["Open"]) as HTMLAnchorElement;
  link.href = row.href;
  link.setAttribute("aria-label", `Open ${row.name}'s page, read-only`);
  return link;
}

function element(name: string, kind: string, children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}
