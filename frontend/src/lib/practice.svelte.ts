/**
 * Answers to a recording: said in this browser, kept in it, never sent, worth no points. What an open prediction
 * asks about is not in the page's hands before it is locked: the film it plays ends there.
 */
import { isComplete } from "./answers";
import { isRight, readTolerance, rightPairs, whyOf } from "./judging";
import type { PageData, QuestionData } from "./page";
import type { AnswerItem, CheckItem, DeltaFrame, History, Item, Items, PredictionItem } from "./protocol";
import { recall, remember } from "./theme";

type Given = PredictionItem | AnswerItem;
type Said = Readonly<Record<string, unknown>>;

export class Practice {
  readonly #whole: History;
  readonly #asked: ReadonlyMap<string, QuestionData>;
  readonly #fences: readonly Fence[];
  readonly #store: string;
  readonly #hash: string;
  readonly #show: (film: History) => void;
  /** Item key ("prediction/who-returns") -> what the viewer said. */
  #said = $state.raw<Said>({});
  /** Keys of predictions that the viewer went on without. */
  #passed = $state.raw<readonly string[]>([]);

  /** The prediction before which the film stands now, or null where nothing is open. */
  readonly waits: string | null = $derived.by(() => this.#fence()?.key ?? null);
  /** The recording as far as it may be shown. */
  readonly film: History = $derived.by(() => {
    const fence = this.#fence();
    return fence ? cutBefore(this.#whole, fence.count) : this.#whole;
  });

  /** `show` is called with a longer film when an answer was locked, with a shorter one when it is asked anew. */
  constructor(page: PageData, recording: History, show: (film: History) => void) {
    const { course, lesson, exercise } = page;
    this.#asked = new Map([
      ...(exercise?.predictions ?? []).map((one) => [`prediction/${one.id}`, one] as const),
      ...(exercise?.questions ?? []).map((one) => [`answer/${one.id}`, one] as const),
    ]);
    this.#whole = withoutVerdicts(recording);
    this.#fences = fencesOf(exercise?.predictions ?? [], recording.frames);
    this.#show = show;
    this.#hash = lesson.hash;
    this.#store = `glasshull.practice.${course.slug}.${lesson.slug}`;
    this.#said = readSaid(recall(this.#store), lesson.hash, this.#asked);
  }

  /** Locks an answer; the film goes on where it waited for it. */
  lock(key: string, value: unknown): void {
    this.#change({ ...this.#said, [key]: value }, this.#passed);
  }

  /** Goes on without an answer. */
  pass(key: string): void {
    this.#change(this.#said, [...this.#passed, key]);
  }

  hasPassed(key: string): boolean {
    return this.#passed.includes(key);
  }

  /** Whether what comes of it may be shown: it was said, or gone on without. */
  isOpen(key: string): boolean {
    return key in this.#said || this.hasPassed(key);
  }

  /** Forgets the answer, and all that was shown after it. */
  again(key: string): void {
    const { [key]: _, ...rest } = this.#said;
    this.#change(
      rest,
      this.#passed.filter((one) => one !== key),
    );
  }

  /** One item as this viewer may see it: their own answer in place of the recorded one. `items`: as far as watched. */
  seen(key: string, items: Items): Item | null {
    if (this.#asked.has(key)) return this.#answer(key, items);
    const item = items[key] ?? null;
    const about = item?.t === "check" ? this.#whole.practice?.checks[key.slice("check/".length)] : undefined;
    return item?.t === "check" && about ? this.#check(item, about, items) : item;
  }

  /** Whether the recording holds what is right. */
  shows(key: string): boolean {
    return this.#whole.frames.some(({ set }) => Array.isArray(set?.[key]?.observed));
  }

  #fence(): Fence | undefined {
    return this.#fences.find(({ key }) => !this.isOpen(key));
  }

  #change(said: Said, passed: readonly string[]): void {
    const before = this.film.frames.length;
    this.#said = said;
    this.#passed = passed;
    remember(this.#store, JSON.stringify({ hash: this.#hash, said }));
    if (this.film.frames.length !== before) this.#show(this.film);
  }

  #answer(key: string, items: Items): Given | null {
    const question = this.#asked.get(key);
    if (!question || !(key in this.#said)) return null;
    const value = this.#said[key];
    const { tolerance, why } = this.#whole.practice?.asked[key] ?? { tolerance: null, why: {} };
    const t = key.startsWith("answer/") ? "answer" : "prediction";
    // A question is looked at as soon as it is answered; a prediction when the record does.
    const recorded = (t === "answer" ? lastOf(this.#whole, key) : items[key]) as Given | undefined;
    const observed = recorded?.observed ?? null;
    if (!observed) return { t, value, at: null, observed: null, right: null };
    const right =
      observed.length > 0
        ? isRight(question.answer, value, observed, readTolerance(tolerance))
        : (recorded?.right ?? null);
    const pairs = question.answer === "match" ? rightPairs(value, observed) : null;
    return { t, value, at: null, observed, right, pairs, why: whyOf(question.answer, value, why) };
  }

  /** A check on what was said is about the viewer, not about who was recorded. */
  #check(item: CheckItem, about: string, items: Items): CheckItem {
    const said = this.#answer(about, items);
    const open = { ...item, points: 0, seq: null };
    if (!said)
      return this.hasPassed(about)
        ? { ...open, state: "waiting", line: "watched without an answer" }
        : { ...open, state: "your-turn", line: "needs your answer" };
    if (!said.observed)
      return { ...open, state: "waiting", line: "locked; it is compared with what happens" };
    if (said.right === null)
      return { ...item, state: "could-not-grade", points: 0, line: "what happened was not seen" };
    const foreseen = said.t === "prediction";
    const line = said.right
      ? foreseen
        ? "you foresaw it"
        : "right"
      : foreseen
        ? "it came differently"
        : "it is different";
    return { ...item, state: said.right ? "pass" : "fail", points: 0, line };
  }
}

/** Where the film stands until `key` is answered: before its frame number `count`. */
export interface Fence {
  key: string;
  count: number;
}

/**
 * Of each prediction the moment at which it was locked in the recording; else at which begins what it asks about. None
 * for what the recording does not hold. In the order of the film.
 */
export function fencesOf(predictions: readonly QuestionData[], frames: readonly DeltaFrame[]): Fence[] {
  const found = predictions.map(({ id, before }) => {
    const key = `prediction/${id}`;
    const locked = frames.findIndex(({ set }) => (set?.[key]?.value ?? null) !== null);
    const begins = frames.findIndex(
      ({ set }) =>
        set?.[`fault/${before}`]?.phase === "started" || set?.[`load/${before}`]?.phase === "running",
    );
    return { key, count: locked >= 0 ? locked : begins };
  });
  return found.filter(({ count }) => count >= 0).sort((a, b) => a.count - b.count);
}

/** The first `count` frames of a recording; it ends when the next one would come. */
export function cutBefore(whole: History, count: number): History {
  const end = whole.frames[count];
  if (!end) return whole;
  return { ...whole, frames: whole.frames.slice(0, count), seconds: end.at - whole.start.at };
}

/** Without the flags that tell how well the recorded person foresaw it: the viewer has an answer of their own. */
function withoutVerdicts(history: History): History {
  const theirs = new Set(Object.keys(history.practice?.checks ?? {}).map((id) => `check/${id}`));
  const frames = history.frames.map((frame) => {
    const set = Object.entries(frame.set ?? {});
    const kept = set.filter(([, one]) => !(one.t === "marker" && theirs.has(String(one.of))));
    return kept.length === set.length ? frame : { ...frame, set: Object.fromEntries(kept) };
  });
  return { ...history, frames };
}

/** All fields of one item as the whole recording leaves them. */
function lastOf(whole: History, key: string): Item | undefined {
  const fields = whole.frames.flatMap(({ set }) => (set?.[key] ? [set[key]] : []));
  return fields.length > 0 ? (Object.assign({}, ...fields) as Item) : whole.start.items[key];
}

/** What was kept of this version of the lesson; anything that cannot be an answer to it is left out. */
export function readSaid(text: string | null, hash: string, asked: ReadonlyMap<string, QuestionData>): Said {
  try {
    const kept: unknown = JSON.parse(text ?? "null");
    const { hash: of, said } = (kept ?? {}) as { hash?: unknown; said?: Record<string, unknown> };
    if (of !== hash || typeof said !== "object" || said === null) return {};
    return Object.fromEntries(
      Object.entries(said).filter(([key, value]) => {
        const question = asked.get(key);
        return question !== undefined && value !== undefined && isAnswer(question, value);
      }),
    );
  } catch {
    return {};
  }
}

/** The shape of a locked answer, so that a changed storage cannot break the page. */
function isAnswer(question: QuestionData, value: unknown): boolean {
  switch (question.answer) {
    case "number":
    case "duration":
      return typeof value === "number";
    case "set":
    case "order":
    case "curve":
      return Array.isArray(value) && isComplete(question, value);
    case "match":
      return (
        typeof value === "object" && value !== null && isComplete(question, value as Record<string, string>)
      );
    default:
      return typeof value === "string" && value !== "";
  }
}
