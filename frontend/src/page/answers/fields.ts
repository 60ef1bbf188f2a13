/** One component for each kind of answer: it asks, and once locked it draws what was said over what was seen. */
import type { Component } from "svelte";
import type { Draft } from "../../lib/answers";
import type { Desk } from "../../lib/desk.svelte";
import type { AnswerKind, QuestionData } from "../../lib/page";

export interface FieldProps {
  desk: Desk;
  question: QuestionData;
  /** Unique in the page: prefix of names and ids. */
  name: string;
  draft: Draft;
  /** True while the answer is on its way. */
  off: boolean;
  locked: boolean;
  /** The locked answer. */
  said: unknown;
  /** All right answers; null until they are known. */
  observed: unknown[] | null;
  /** What the other side is called: "observed", "the answer". */
  seen: string;
}

type Field = Promise<{ default: Component<FieldProps, object, "draft"> }>;

const FIELDS: Record<AnswerKind, () => Field> = {
  choice: () => import("./Choice.svelte"),
  set: () => import("./Choice.svelte"),
  order: () => import("./Order.svelte"),
  match: () => import("./Match.svelte"),
  number: () => import("./Amount.svelte"),
  duration: () => import("./Amount.svelte"),
  node: () => import("./Place.svelte"),
  object: () => import("./Place.svelte"),
  curve: () => import("./Curve.svelte"),
};

/** Fetches the component for a kind of answer. */
export const fieldOf = (answer: AnswerKind): Field => FIELDS[answer]();
