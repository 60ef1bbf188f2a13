/** May the reader leave this step? Pure (lesson-format 4.11: none, soft, hard). */
import type { ExerciseData, StepData } from "./page";
import type { CheckItem, Items, PredictionItem } from "./protocol";

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

/** A check that passed or that we could not grade, or a prediction that is locked. */
function isMet(id: string, mine: Items): boolean {
  const check = mine[`check/${id}`] as CheckItem | undefined;
  if (check) return check.state === "pass" || check.state === "could-not-grade";
  const prediction = mine[`prediction/${id}`] as PredictionItem | undefined;
  return prediction !== undefined && prediction.value !== null && prediction.value !== undefined;
}

/** The words of a check or prediction of this exercise; the id where it is unknown. */
export function sayOf(id: string, exercise: ExerciseData | null): string {
  const check = exercise?.checks.find((one) => one.id === id);
  if (check) return check.say;
  const prediction = exercise?.predictions.find((one) => one.id === id);
  return prediction ? prediction.ask : id;
}
