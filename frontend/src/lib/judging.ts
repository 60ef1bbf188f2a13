/** Is what somebody said right, beside what was observed? As sandbox/record/checks/answers.py and forms.py have it. Pure. */
import { asList, asMap, asNumbers, parseDuration, parseNumber } from "./answers";
import type { AnswerKind } from "./page";

/** How far off still counts: `share` of the right value, or `amount` (of a duration: seconds). */
export interface Tolerance {
  share: number;
  amount: number;
}

const EXACT: Tolerance = { share: 0, amount: 0 };
/** What is lost when a number was written down and read again. */
const ROUNDING = 1e-9;
const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Of `10%`, `±2`, `±500ms`; exact for what is none (the linter has refused it). */
export function readTolerance(text: string | null | undefined): Tolerance {
  const found = /^(?:±|\+-|\+\/-)?\s*(\d+(?:\.\d+)?)\s*(%|ms|s|m|h)?$/.exec(text?.trim() ?? "");
  if (!found) return EXACT;
  const number = Number(found[1]);
  if (found[2] === "%") return { share: number / 100, amount: 0 };
  return { share: 0, amount: number * (SECONDS[found[2] ?? "s"] ?? 1) };
}

/** `observed` = all right answers; one that agrees is enough. */
export function isRight(
  kind: AnswerKind,
  said: unknown,
  observed: readonly unknown[],
  near: Tolerance = EXACT,
): boolean {
  return observed.some((one) => agrees(kind, said, one, near));
}

function agrees(kind: AnswerKind, said: unknown, wanted: unknown, near: Tolerance): boolean {
  switch (kind) {
    case "number":
    case "duration":
      return allows(near, Number(said), Number(wanted));
    case "curve": {
      const [mine, theirs] = [asNumbers(said), asNumbers(wanted)];
      return mine.length === theirs.length && mine.every((one, i) => allows(near, one, theirs[i] as number));
    }
    case "set":
      return same([...new Set(asList(said))].sort(), [...new Set(asList(wanted))].sort());
    case "order":
      return same(asList(said), asList(wanted));
    case "match":
      return same(pairsOf(said), pairsOf(wanted));
    default:
      return said === wanted;
  }
}

const allows = ({ share, amount }: Tolerance, value: number, wanted: number): boolean =>
  Math.abs(value - wanted) <= Math.abs(wanted) * share + amount + ROUNDING;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const pairsOf = (value: unknown): [string, string][] =>
  Object.entries(asMap(value)).sort(([a], [b]) => (a < b ? -1 : 1));

/** Of a match: pairs right, and pairs asked for, beside the best right answer. */
export function rightPairs(said: unknown, observed: readonly unknown[]): [number, number] {
  const mine = asMap(said);
  return observed
    .map((one): [number, number] => {
      const pairs = Object.entries(asMap(one));
      return [pairs.filter(([given, choice]) => mine[given] === choice).length, pairs.length];
    })
    .reduce(
      (best, one) => (one[0] > best[0] || (one[0] === best[0] && one[1] > best[1]) ? one : best),
      [0, 0],
    );
}

/** What the author says to this answer, each sentence once; null when nothing. */
export function whyOf(kind: AnswerKind, said: unknown, why: Readonly<Record<string, string>>): string | null {
  const found = keysOf(kind, said, why).flatMap((key) =>
    Object.hasOwn(why, key) ? [why[key] as string] : [],
  );
  return [...new Set(found)].join(" ") || null;
}

/** What `why` may name in this answer; of an order what was put first, of a number its text. */
function keysOf(kind: AnswerKind, said: unknown, why: Readonly<Record<string, string>>): string[] {
  switch (kind) {
    case "order":
      return asList(said).slice(0, 1);
    case "match":
      return Object.entries(asMap(said)).flatMap(([given, choice]) => [`${given}/${choice}`, choice]);
    case "set":
      return asList(said);
    case "curve":
      return [];
    case "number":
    case "duration": {
      const read = kind === "duration" ? parseDuration : parseNumber;
      return Object.keys(why).filter((key) => read(key) === said);
    }
    default:
      return [String(said)];
  }
}
