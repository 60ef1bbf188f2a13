/** The outside world: the probe's requests, what was lost, and the way a request is known to have taken. Pure. */
import type { Drawing, PipeView } from "./drawing";
import { grouped, plural, probeSentence } from "./words";
import { fix1, type ProbeItem, type World } from "./world";

/** Radius of a request's dot with its rim. */
const DOT = 4;

export interface VisitorsView {
  key: string;
  ok: boolean;
  line: string;
  sentence: string;
  /** Pipe from the plate over the sea to the Service, or null when it is not known which Service they ask. */
  pipe: string | null;
  /** Ways that requests take, as far as the record knows. */
  routes: Route[];
  /** Plates the pipe passes behind: a dot is not drawn over what is written there. */
  covers: Cover[];
}

export interface Route {
  /** To the Service, and on to a valve where it is known which: the Pod answered, or no other is open. */
  points: [x: number, y: number][];
  /** Answers of the last second that came this way; 1 where nobody counted. */
  share: number;
}

export interface Cover {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface LostView {
  key: string;
  x: number;
  count: number;
  text: string;
}

/** Requests a second from two counts; null until there are two, or when the counter began anew. */
export function rateOf(samples: readonly { at: number; sent: number }[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < 1 || last.sent < first.sent) return null;
  return (last.sent - first.sent) / (last.at - first.at);
}

export function visitorsLine(probe: ProbeItem, rate: number | null): string {
  if (probe.sent === 0) return "no request yet";
  const failed = `${grouped(probe.failed)} failed`;
  if (rate === null || rate === 0) return `${grouped(probe.failed)} of ${grouped(probe.sent)} failed`;
  return `${rate < 10 ? rate.toFixed(rate < 1 ? 1 : 0) : Math.round(rate)} req/s · ${failed}`;
}

/** The Service a probe asks: the only one there is, or the one it is named after. */
function askedService(key: string, drawing: Drawing, shown: number): PipeView | undefined {
  if (shown === 1) return drawing.pipes[0];
  return drawing.pipes.find((pipe) => `probe/${pipe.service.name}` === key);
}

export function visitorsView(world: World, drawing: Drawing, rate: number | null): VisitorsView | null {
  const [key, probe] = world.probes[0] ?? [];
  if (!key || !probe) return null;
  const pipe = askedService(key, drawing, world.services.length);
  const { ship } = drawing;
  const y = ship.D - 106;
  const start: Route["points"] = [];
  // The next plate to the right would be run through: only the outermost Service is reached in one straight pipe.
  const direct = pipe !== undefined && pipe === drawing.pipes[0];
  if (direct) start.push([ship.W - 158, y], [fix1(pipe.plateX + pipe.plateW), y]);
  const ends = direct && pipe ? valvesThatAnswer(probe, drawing, pipe) : [];
  const routes = ends.map(({ x, share }) => ({
    points: [...start, ...throughValve(drawing, pipe as PipeView, x)],
    share,
  }));
  return {
    key,
    ok: probe.ok || probe.sent === 0,
    line: visitorsLine(probe, rate),
    sentence: probeSentence(probe),
    pipe: direct && pipe ? `M${fix1(pipe.plateX + pipe.plateW)} ${y}H${ship.W - 158}` : null,
    routes: routes.length > 0 ? routes : [{ points: start, share: 1 }],
    covers: coversOf(drawing),
  };
}

/** The valves behind which Pods answered in the last second; without such a count, the only one that is open. */
function valvesThatAnswer(
  probe: ProbeItem,
  drawing: Drawing,
  pipe: PipeView,
): { x: number; share: number }[] {
  const open = pipe.valves.filter((valve) => valve.ready > 0);
  const answers = probe.pods ?? (probe.pod ? { [probe.pod]: 1 } : {});
  const shares = new Map<number, number>();
  for (const [key, count] of Object.entries(answers)) {
    const anchor = drawing.anchors.get(key);
    const valve = anchor && open.find((one) => one.key === `${pipe.key}>${anchor.hold}/${anchor.column}`);
    if (valve && count > 0) shares.set(valve.x, (shares.get(valve.x) ?? 0) + count);
  }
  if (shares.size > 0) return [...shares].map(([x, share]) => ({ x, share }));
  return open.length === 1 && open[0]?.ready === 1 ? [{ x: open[0].x, share: 1 }] : [];
}

/** Every Service's plate and the visitors' own, each with the dot's radius around it. */
function coversOf(drawing: Drawing): Cover[] {
  const y = drawing.ship.D - 124 - DOT;
  const h = 36 + 2 * DOT;
  return [
    ...drawing.pipes.map((pipe) => ({ x: pipe.plateX - DOT, y, w: pipe.plateW + 2 * DOT, h })),
    { x: drawing.ship.W - 158 - DOT, y, w: 136 + 2 * DOT, h },
  ];
}

export const isCovered = (covers: readonly Cover[], [x, y]: readonly [number, number]): boolean =>
  covers.some((one) => x > one.x && x < one.x + one.w && y > one.y && y < one.y + one.h);

function throughValve(drawing: Drawing, pipe: PipeView, x: number): Route["points"] {
  const { ship } = drawing;
  const middle = fix1(pipe.plateX + pipe.plateW / 2);
  return [
    [middle, ship.D - 106],
    [middle, ship.D - 88],
    [middle, pipe.y],
    [x, pipe.y],
    [x, ship.T - 194],
  ];
}

/** Requests lost in a fault's window, at the valve of the Pod it took. `remembered` has the x of Pods that are gone. */
export function lostViews(world: World, remembered: ReadonlyMap<string, number>): LostView[] {
  return world.faults.flatMap(([key, fault]): LostView[] => {
    if (fault.lost <= 0 || !fault.target) return [];
    const there = world.pods.some(([pod]) => pod === fault.target);
    if (fault.phase !== "started" && !there) return [];
    const x = remembered.get(fault.target);
    return x === undefined
      ? []
      : [{ key, x, count: fault.lost, text: `${plural(fault.lost, "request")} lost` }];
  });
}
