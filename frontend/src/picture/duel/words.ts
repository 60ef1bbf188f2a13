/** Every sentence of the duel: banner, sums, text twin. Counted from the record, never foretold. Pure. */

import type { Items } from "../../lib/protocol";
import type { Twin } from "../twin";
import { grouped, plural, podSentence, probeSentence, serviceSentence } from "../words";
import { readWorld } from "../world";
import { concerns, countedSpan, faultAt, LONGEST_STEP, mebibytes, type Sums, sumsOf } from "./measures";
import { type Duel, hangs, MONOLITH, type Part, partCount, type Side, type SideName } from "./sides";
import type { FaultRun, SideTape, Tape } from "./tape";

export const SIDE_TITLE: Record<SideName, string> = { monolith: "Monolith", micro: "Microservices" };

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const spelled = (n: number): string => NUMBERS[n] ?? String(n);

/** "one program, one Pod", "four programs, four Pods". */
export function sideLine(side: Side): string {
  const there = side.parts.filter((part) => part.pods.length > 0);
  if (there.length === 0) return "not there yet";
  const pods = there.reduce((sum, part) => sum + part.pods.length, 0);
  return `${spelled(there.length)} ${there.length === 1 ? "program" : "programs"}, ${spelled(pods)} ${pods === 1 ? "Pod" : "Pods"}`;
}

/** What the fault was done to, in one word: of both sides, the part. */
export function subjectOf(fault: FaultRun): string {
  const parts = fault.apps.filter((app) => app !== MONOLITH);
  return (parts.length > 0 ? parts : fault.apps).join(" and ") || fault.id;
}

/** "stock stopped", "catalogue killed". */
export function faultHead(fault: FaultRun): string {
  const verb = /^kill/.test(fault.kind)
    ? "killed"
    : hangs(fault)
      ? "stopped"
      : fault.kind === "slow-app"
        ? "slowed"
        : fault.kind === "fail-readiness"
          ? "not ready"
          : "hit";
  return `${subjectOf(fault)} ${verb}`;
}

/** The blast radius on one side: "stock stopped: 1 of 4 parts stops, browsing answers". */
export function blastLine(fault: FaultRun, side: Side, tape: SideTape, at: number): string {
  const head = faultHead(fault);
  if (!concerns(fault, side.name)) return `${head}: this side has none of it`;
  const stopped = fault.stopped[side.name].size;
  const all = Math.max(partCount(side), stopped);
  const requests = requestsLine(sumsOf(tape, fault.from, Math.min(at, fault.to ?? at)));
  if (stopped === 0) return `${head}: every part goes on${requests ? `, ${requests}` : ""}`;
  if (stopped >= all) return `${head}: all ${all} parts stop answering`;
  return `${head}: ${stopped} of ${all} parts ${stopped === 1 ? "stops" : "stop"}${requests ? `, ${requests}` : ""}`;
}

function requestsLine({ share, silent, failing }: Sums): string {
  if (share === null) return "";
  if (share === 0) return "browsing answers";
  if (silent > failing) return "browsing stops too";
  return `${Math.max(1, Math.round(100 * share))} % of requests fail`;
}

/** The large number under the charts, and what it counts. */
export function silenceLine(sums: Sums, fault: FaultRun | null): { n: string; words: string } {
  if (sums.share === null) return { n: "–", words: "no requests counted" };
  const during = fault ? ` since ${faultHead(fault)}` : "";
  if (sums.silent >= 0.5) return { n: `${Math.round(sums.silent)} s`, words: `without any answer${during}` };
  if (sums.failing >= 0.5) {
    return { n: `${Math.round(sums.failing)} s`, words: `with requests failing${during}` };
  }
  return { n: "0 s", words: `without an answer${during}` };
}

export const peakLine = ({ peak }: Sums): string =>
  peak === null ? "memory not measured" : `peak memory ${mebibytes(peak)} MiB`;

/** "4 req/s · 2 failed": what the visitors of this side meet. */
export function visitorsOf(side: Side, tape: SideTape): string {
  const load = side.load?.[1];
  if (load?.phase === "running" && load.last) {
    return `${load.last.sent} req/s · ${grouped(load.failed)} failed`;
  }
  const probe = side.probe?.[1];
  if (!probe || probe.sent === 0) return "no request yet";
  const last = tape.traffic.at(-1);
  const before = tape.traffic.at(-2);
  const seconds = last && before ? last.at - before.at : 0;
  const rate =
    !side.over && last && seconds > 0.5 && seconds < 2.5 ? `${Math.round(last.sent / seconds)} req/s · ` : "";
  return `${rate}${grouped(probe.failed)} failed`;
}

export function partSentence(part: Part, items: Items, now: number): string {
  if (!part.shown) return `${part.name}: no Pod of it is there.`;
  const water = part.answers === "no" ? " It does not answer." : "";
  const memory = part.memory === null ? "" : ` ${mebibytes(part.memory)} MiB of memory.`;
  const more = part.pods.length > 1 ? ` ${plural(part.pods.length, "Pod")} of it are there.` : "";
  const owner = part.shown[1].owner ? items[part.shown[1].owner] : undefined;
  const owned = owner?.t === "workload" ? `owned by ${owner.kind} ${owner.name}` : "owned by nobody";
  return `${part.name}: ${podSentence(part.shown[1], owned, now)}${water}${memory}${more}`;
}

/** Where the lines of the charts are at a moment: "p95 latency 34 ms, 0 % failed, memory 47 MiB". */
export function measuredLine(tape: SideTape, at: number): string {
  const last = tape.traffic.findLast((point) => point.at <= at);
  const bytes = tape.memory.findLast((point) => point.at <= at)?.bytes ?? null;
  const memory = bytes === null ? "memory not measured" : `memory ${mebibytes(bytes)} MiB`;
  if (!last || at - last.at > LONGEST_STEP) return `no requests, ${memory}`;
  const untimed = last.failed >= last.sent ? "no replies to time" : "replies not timed";
  const time = last.p95 === null ? untimed : `p95 latency ${Math.round(last.p95)} ms`;
  return `${time}, ${Math.min(100, Math.round((100 * last.failed) / last.sent))} % failed, ${memory}`;
}

/** The scene as a tree: the same state as the drawing, side by side, then the charts' sums. */
export function duelTwin(duel: Duel, tape: Tape, items: Items, at: number): Twin {
  const fault = faultAt(tape, at);
  const leaf = (key: string | null, kind: string, text: string, children: Twin[] = []): Twin => ({
    key,
    kind,
    text,
    children,
  });
  const world = readWorld(items);
  const side = (one: Side): Twin => {
    const record = tape.sides[one.name];
    const sums = sumsOf(record, ...countedSpan(tape, at));
    const silence = silenceLine(sums, fault);
    const services = one.parts.flatMap((part) =>
      part.service ? [leaf(part.service[0], "service", serviceSentence(part.service[1], world))] : [],
    );
    return leaf(null, "side", `${SIDE_TITLE[one.name]}: ${sideLine(one)}.`, [
      ...(fault ? [leaf(null, "fault", `${blastLine(fault, one, record, at)}.`)] : []),
      ...one.parts.map((part) => leaf(part.shown?.[0] ?? null, "pod", partSentence(part, items, at))),
      ...(one.modules.length > 0
        ? [
            leaf(
              null,
              "modules",
              `Inside the one program: ${one.modules.map((module) => module.name).join(", ")}.`,
            ),
          ]
        : []),
      ...services,
      ...(one.probe ? [leaf(one.probe[0], "probe", probeSentence(one.probe[1]))] : []),
      ...(one.load ? [leaf(one.load[0], "load", loadSentence(one))] : []),
      ...record.releases
        .filter((release) => release.at <= at)
        .map((release) =>
          leaf(
            null,
            "release",
            `${release.app} ${release.version} serves, ${Math.round(at - release.at)} s ago.`,
          ),
        ),
      leaf(null, "measured", `Measured: ${measuredLine(record, at)}.`),
      leaf(null, "sums", `${silence.n} ${silence.words}; ${peakLine(sums)}.`),
    ]);
  };
  return leaf(null, "cluster", "One shop in two forms, asked the same", [
    side(duel.monolith),
    side(duel.micro),
  ]);
}

function loadSentence(side: Side): string {
  const load = side.load?.[1];
  if (!load || load.phase === "idle") return "Load: not started.";
  const state = load.phase === "running" ? `Load runs at ${load.rate} requests a second` : "Load has ended";
  return `${state}: ${plural(load.sent, "request")} sent, ${load.failed} failed, ${load.lost} lost.`;
}
