/** What was broken by the clock: told when it is over, with how long it took to see, to say and to mend. Pure. */
import { durationWords } from "./answers";
import type { ExerciseData } from "./page";
import type { AnswerItem, CheckItem, FaultItem, Items } from "./protocol";
import { CHECK_WORDS, evidenceWords } from "./words";

export interface Incident {
  id: string;
  /** One sentence: what it was, or why it was not. */
  what: string;
  /** When it began and how long it lasted; "" for one that never began. */
  when: string;
  /** What was to be done about it, and how long after its beginning it was. */
  took: [what: string, time: string][];
}

/** Those that are over; null where this exercise breaks nothing by itself. `started`: unix s of this try. */
export function incidentsOf(exercise: ExerciseData | null, items: Items, started: number): Incident[] | null {
  const faults = (exercise?.faults ?? []).filter(({ by }) => by === "timeline");
  if (!exercise || faults.length === 0) return null;
  return faults.flatMap(({ id }) => {
    const item = items[`fault/${id}`] as FaultItem | undefined;
    return item ? [{ id, ...toldOf(exercise, item, items, started) }] : [];
  });
}

function toldOf(
  exercise: ExerciseData,
  item: FaultItem,
  items: Items,
  started: number,
): Omit<Incident, "id"> {
  const { began, at } = item;
  if (!began)
    return { what: item.text || "It could not be started. That is not your fault.", when: "", took: [] };
  return {
    what: `${item.text || item.kind}.`.replace(/\.\.$/, "."),
    when: `It began ${durationWords(began - started)} into this try and lasted ${durationWords(at - began)}.`,
    took: [...answersOf(exercise, items, began), ...recoveriesOf(exercise, items)],
  };
}

function answersOf(exercise: ExerciseData, items: Items, began: number): [string, string][] {
  return (exercise.questions ?? []).map(({ id, ask }) => {
    const at = (items[`answer/${id}`] as AnswerItem | undefined)?.at;
    if (!at) return [ask, "not answered"];
    return [ask, at < began ? "answered before it began" : `answered after ${durationWords(at - began)}`];
  });
}

/** The evidence of a passed one is its time: "Back after 8.9 s". */
function recoveriesOf(exercise: ExerciseData, items: Items): [string, string][] {
  return exercise.checks
    .filter(({ recovers }) => recovers)
    .map(({ id, say }) => {
      const item = items[`check/${id}`] as CheckItem | undefined;
      if (!item) return [say, "not looked at"];
      return [say, item.state === "pass" && item.line ? evidenceWords(item.line) : CHECK_WORDS[item.state]];
    });
}
