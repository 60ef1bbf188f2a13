/** Motion of single parts. Everything moves by transform or opacity, once, and only after the record said so. */
const SAIL = "cubic-bezier(.2,.7,.2,1)";
const SAIL_OUT = "cubic-bezier(.4,0,1,1)";
const BATCH = 8;
const BATCH_MS = 150;

let started: number[] = [];

/** At most eight objects start together; more are batched in steps of 150 ms. */
export function delayOf(now = performance.now()): number {
  started = started.filter((at) => now - at < 900);
  started.push(now);
  return Math.floor((started.length - 1) / BATCH) * BATCH_MS;
}

export interface LowerOptions {
  on: boolean;
  from: number;
}

/** A Pod just bound comes down from the crane. */
export function lower(element: SVGElement, { on, from }: LowerOptions): void {
  if (!on) return;
  element.animate(
    [
      { transform: `translateY(${-from}px)`, opacity: 0.4 },
      { transform: "none", opacity: 1 },
    ],
    { duration: 900, delay: delayOf(), easing: SAIL, fill: "backwards" },
  );
}

/** Svelte transition: fades what is gone. Without motion it goes at once. */
export function leave(
  _element: Element,
  { on }: { on: boolean },
): { duration: number; css: (t: number) => string } {
  return { duration: on ? 240 : 0, css: (t) => `opacity:${t}` };
}

export { SAIL, SAIL_OUT };
