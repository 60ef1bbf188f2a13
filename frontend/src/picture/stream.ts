/** Dots in the pipes: at most 24 at once; when more requests come, one dot stands for several. Pure but for the clock given. */
const MOST = 24;
/** Pixels a second. */
const SPEED = 180;
/** Requests that arrive in one frame leave one after another. */
const SPACING_MS = 110;

type Point = readonly [number, number];

export class Stream {
  #born: number[] = [];

  /** Adds `count` requests seen at `now` ms; returns how many one dot stands for. */
  add(count: number, now: number): number {
    const free = Math.max(1, MOST - this.#born.length);
    const weight = Math.max(1, Math.ceil(count / free));
    const start = Math.max(now, (this.#born.at(-1) ?? 0) + SPACING_MS);
    const dots = Math.ceil(count / weight);
    for (let i = 0; i < dots && this.#born.length < MOST; i++) this.#born.push(start + i * SPACING_MS);
    return weight;
  }

  clear(): void {
    this.#born = [];
  }

  get waits(): boolean {
    return this.#born.length > 0;
  }

  /** How far along the route each dot is; those that arrived are forgotten. */
  waysAt(now: number, far: number): number[] {
    this.#born = this.#born.filter((born) => ((now - born) * SPEED) / 1000 < far);
    return this.#born.filter((born) => now >= born).map((born) => ((now - born) * SPEED) / 1000);
  }
}

export function lengthOf(route: readonly Point[]): number {
  let sum = 0;
  for (let i = 1; i < route.length; i++) sum += distance(route[i - 1] as Point, route[i] as Point);
  return sum;
}

const distance = (a: Point, b: Point): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** The point `way` pixels along the route; its end when it is longer. */
export function alongRoute(route: readonly Point[], way: number): [number, number] {
  let rest = way;
  for (let i = 1; i < route.length; i++) {
    const a = route[i - 1] as Point;
    const b = route[i] as Point;
    const leg = distance(a, b);
    if (rest <= leg && leg > 0)
      return [a[0] + ((b[0] - a[0]) * rest) / leg, a[1] + ((b[1] - a[1]) * rest) / leg];
    rest -= leg;
  }
  const end = route.at(-1) ?? [0, 0];
  return [end[0], end[1]];
}
