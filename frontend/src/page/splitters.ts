/** The lines between the panes can be dragged, by mouse, finger and arrow keys; where they were put is remembered. */
import { recall, remember } from "../lib/theme";

interface Splitter {
  name: string;
  label: string;
  /** Along which way it moves. */
  axis: "x" | "y";
  /** The pane whose edge it is, and which edge. */
  pane: string;
  edge: "left" | "right" | "bottom";
  /** The custom property it sets, in px (x) or as the share of the picture (y). */
  property: string;
  least: (shell: DOMRect) => number;
  most: (shell: DOMRect) => number;
}

const STEP = 16;

export const SPLITTERS: readonly Splitter[] = [
  {
    name: "lesson",
    label: "Width of the lesson",
    axis: "x",
    pane: "lesson",
    edge: "right",
    property: "--lesson-w",
    least: () => 300,
    most: (shell) => shell.width * 0.45,
  },
  {
    name: "checks",
    label: "Width of the checks",
    axis: "x",
    pane: "checks",
    edge: "left",
    property: "--checks-w",
    least: () => 280,
    most: (shell) => shell.width * 0.4,
  },
  {
    name: "picture",
    label: "Height of the picture",
    axis: "y",
    pane: "picture",
    edge: "bottom",
    property: "--picture-h",
    // The picture keeps half of the height.
    least: (shell) => shell.height * 0.5,
    most: (shell) => shell.height - 56 - 120,
  },
];

/** The nearest size that leaves every pane usable. */
export function clampSize(splitter: Splitter, size: number, shell: DOMRect): number {
  return Math.round(Math.max(splitter.least(shell), Math.min(splitter.most(shell), size)));
}

export function wireSplitters(shell: HTMLElement): void {
  const handles = SPLITTERS.map((splitter) => makeHandle(shell, splitter));
  const place = (): void => {
    for (const handle of handles) handle.place();
  };
  const watch = new ResizeObserver(place);
  for (const pane of [shell, ...SPLITTERS.map((one) => paneOf(shell, one))]) if (pane) watch.observe(pane);
  place();
}

function paneOf(shell: HTMLElement, splitter: Splitter): HTMLElement | null {
  return shell.querySelector<HTMLElement>(`:scope > .${splitter.pane}`);
}

function makeHandle(shell: HTMLElement, splitter: Splitter): { place: () => void } {
  const key = `glasshull.split.${splitter.name}`;
  const handle = document.createElement("div");
  handle.className = `splitter ${splitter.axis}`;
  handle.tabIndex = 0;
  handle.setAttribute("role", "separator");
  handle.setAttribute("aria-label", splitter.label);
  handle.setAttribute("aria-orientation", splitter.axis === "x" ? "vertical" : "horizontal");
  shell.append(handle);

  const size = (): number => {
    const pane = paneOf(shell, splitter)?.getBoundingClientRect();
    return splitter.axis === "x" ? (pane?.width ?? 0) : (pane?.height ?? 0);
  };
  function set(wanted: number, keep: boolean): void {
    const clamped = clampSize(splitter, wanted, shell.getBoundingClientRect());
    shell.style.setProperty(splitter.property, `${clamped}px`);
    if (keep) remember(key, String(clamped));
    place();
  }
  function place(): void {
    const pane = paneOf(shell, splitter);
    const outer = shell.getBoundingClientRect();
    const inner = pane?.getBoundingClientRect();
    // Where panes lie behind one another (narrow screens) there is no line to drag.
    handle.hidden = !inner || outer.width < 1200 || inner.width === 0;
    if (!inner || handle.hidden) return;
    const at = inner[splitter.edge] - (splitter.axis === "x" ? outer.left : outer.top);
    const along = splitter.axis === "x" ? ["left", "top", "height"] : ["top", "left", "width"];
    const [across, start, length] = along as [string, string, string];
    handle.style.setProperty(across, `${at - 4}px`);
    handle.style.setProperty(
      start,
      `${splitter.axis === "x" ? inner.top - outer.top : inner.left - outer.left}px`,
    );
    handle.style.setProperty(length, `${splitter.axis === "x" ? inner.height : inner.width}px`);
    const shown = { now: size(), min: splitter.least(outer), max: splitter.most(outer) };
    for (const [name, value] of Object.entries(shown))
      handle.setAttribute(`aria-value${name}`, String(Math.round(value)));
  }

  const sign = splitter.edge === "left" ? -1 : 1;
  let from: { at: number; size: number } | null = null;
  const pointOf = (event: PointerEvent): number => (splitter.axis === "x" ? event.clientX : event.clientY);
  handle.addEventListener("pointerdown", (event) => {
    from = { at: pointOf(event), size: size() };
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (from) set(from.size + sign * (pointOf(event) - from.at), false);
  });
  for (const name of ["pointerup", "pointercancel"] as const) {
    handle.addEventListener(name, () => {
      if (from) set(size(), true);
      from = null;
    });
  }
  handle.addEventListener("dblclick", () => {
    shell.style.removeProperty(splitter.property);
    remember(key, "");
    place();
  });
  handle.addEventListener("keydown", (event) => {
    const forward = splitter.axis === "x" ? "ArrowRight" : "ArrowDown";
    const back = splitter.axis === "x" ? "ArrowLeft" : "ArrowUp";
    if (event.key !== forward && event.key !== back) return;
    event.preventDefault();
    event.stopPropagation();
    set(size() + sign * (event.key === forward ? STEP : -STEP), true);
  });

  const known = Number(recall(key));
  if (known > 0 && shell.getBoundingClientRect().width >= 1200) set(known, false);
  return { place };
}
