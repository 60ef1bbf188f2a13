/** Dots in the pipes: at most 24 at once; when more requests come, one dot stands for several. Pure but for the clock given. */
const MOST = 24;
/** Pixels a second. */
const SPEED = 180;
/** Requests that arrive in one frame leave one after another. */
const SPACING_MS = 110;

type Point = readonly [number, number];

export class Stream {
  #born: { at: number; lane: number }[] = [];
  #given: number[] = [];

  /**
   * Adds `count` requests seen at `now` ms; returns how many one dot stands for. `shares`: how many of the last
   * answers came from the end of each lane; dots are dealt out in the same proportion.
   */
  add(count: number, now: number, shares: readonly number[] = [1]): number {
    const free = Math.max(1, MOST - this.#born.length);
    const weight = Math.max(1, Math.ceil(count / free));
    const start = Math.max(now, (this.#born.at(-1)?.at ?? 0) + SPACING_MS);
    const dots = Math.ceil(count / weight);
    for (let i = 0; i < dots && this.#born.length < MOST; i++)
      this.#born.push({ at: start + i * SPACING_MS, lane: this.#deal(shares) });
    return weight;
  }

  /** The lane that is furthest behind its share. */
  #deal(shares: readonly number[]): number {
    if (shares.length !== this.#given.length) this.#given = shares.map(() => 0);
    let lane = 0;
    for (let i = 1; i < shares.length; i++) {
      const owed = (one: number): number => ((this.#given[one] ?? 0) + 1) / Math.max(1e-9, shares[one] ?? 0);
      if (owed(i) < owed(lane)) lane = i;
    }
    this.#given[lane] = (this.#given[lane] ?? 0) + 1;
    return lane;
  }

  clear(): void {
    this.#born = [];
  }

  get waits(): boolean {
    return this.#born.length > 0;
  }

  /** Which lane each dot is in and how far along it; those that arrived are forgotten. `far`: length of each lane. */
  waysAt(now: number, far: readonly number[]): { lane: number; way: number }[] {
    const wayOf = (at: number): number => ((now - at) * SPEED) / 1000;
    this.#born = this.#born.filter(({ at, lane }) => wayOf(at) < (far[lane] ?? 0));
    return this.#born.filter(({ at }) => now >= at).map(({ at, lane }) => ({ lane, way: wayOf(at) }));
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
