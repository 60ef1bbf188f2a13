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

/** Fades what is gone: a still copy of it goes pale while the thing itself is already away. */
export function leave(element: SVGElement, moves: () => boolean): { destroy: () => void } {
  return {
    destroy() {
      if (!moves() || !element.parentNode) return;
      const copy = element.cloneNode(true) as SVGElement;
      for (const name of ["data-key", "tabindex", "role", "aria-label", "aria-pressed"])
        copy.removeAttribute(name);
      copy.setAttribute("aria-hidden", "true");
      copy.style.pointerEvents = "none";
      element.before(copy);
      const fading = copy.animate([{ opacity: 1 }, { opacity: 0 }], { duration: 240, easing: SAIL_OUT });
      fading.onfinish = fading.oncancel = () => copy.remove();
    },
  };
}
