/** May the reader leave this step? Pure (lesson-format 4.11: none, soft, hard). */
import type { ExerciseData, StepData } from "./page";
import type { AnswerItem, CheckItem, Items, PredictionItem } from "./protocol";

export interface Gate {
  /** open: go on · ask: unfinished, may go on anyway · shut: not yet */
  way: "open" | "ask" | "shut";
  /** What is missing, in words of the lesson: claims and questions. */
  missing: string[];
}

const OPEN: Gate = { way: "open", missing: [] };

/** `free` = nobody can meet the needs now (no cluster, looking on): reading goes on. */
export function gateOf(step: StepData, exercise: ExerciseData | null, mine: Items, free: boolean): Gate {
  if (free || (step.gate !== "soft" && step.gate !== "hard")) return OPEN;
  const missing = step.needs.filter((id) => !isMet(id, mine)).map((id) => sayOf(id, exercise));
  if (missing.length === 0) return OPEN;
  return { way: step.gate === "soft" ? "ask" : "shut", missing };
}

/** A check that passed or that we could not grade, or a prediction or question that is answered. */
function isMet(id: string, mine: Items): boolean {
  const check = mine[`check/${id}`] as CheckItem | undefined;
  if (check) return check.state === "pass" || check.state === "could-not-grade";
  const given = (mine[`prediction/${id}`] ?? mine[`answer/${id}`]) as PredictionItem | AnswerItem | undefined;
  return given !== undefined && given.value !== null && given.value !== undefined;
}

/** The words of a check, prediction or question of this exercise; the id where it is unknown. */
export function sayOf(id: string, exercise: ExerciseData | null): string {
  const check = exercise?.checks.find((one) => one.id === id);
  if (check) return check.say;
  const asked = [...(exercise?.predictions ?? []), ...(exercise?.questions ?? [])];
  return asked.find((one) => one.id === id)?.ask ?? id;
}
