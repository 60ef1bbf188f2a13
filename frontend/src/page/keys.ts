/** The page's keys (visual.md 14). Those of the picture are the picture's; Tab and Esc are the terminal's. */
import type { Desk } from "../lib/desk.svelte";

const PANES = ["lesson", "picture", "strip", "bench", "checks"] as const;

export function wireKeys(desk: Desk): void {
  window.addEventListener("keydown", (event) => {
    if (event.key === "F6") {
      event.preventDefault();
      nextPane(desk, event.shiftKey ? -1 : 1);
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
      return;
    if (document.querySelector("dialog[open]")) return;
    if (onKey(desk, event)) event.preventDefault();
  });
}

function onKey(desk: Desk, event: KeyboardEvent): boolean {
  const { live } = desk;
  switch (event.key) {
    case "?":
      desk.helpOpen = true;
      return true;
    case "[":
      desk.goToStep(desk.step - 1);
      return true;
    case "]":
      document.querySelector<HTMLElement>("#steps-bar footer > :last-child")?.click();
      return true;
    case "h":
    case "H":
      if (!live.sandbox || live.readOnly || !desk.page.exercise) return false;
      void desk.askHint().then((text) => text && desk.say(text));
      return true;
    case " ":
      if (isPressable(event.target)) return false;
      live.toggle();
      return true;
    case ",":
      void live.step(-1);
      return true;
    case ".":
      void live.step(1);
      return true;
    case "Home":
      if (inLesson(event.target)) return false;
      void live.goToMoment(live.span[0]);
      return true;
    case "End":
      live.backToLive();
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      if (!event.shiftKey) return false;
      void live.goToMoment(live.moment + (event.key === "ArrowLeft" ? -10 : 10));
      return true;
    default:
      return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      (target.matches("input, textarea, select") && !target.matches('[type="radio"], [type="checkbox"]')))
  );
}

function isPressable(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("button, a, summary, input, [role=button], [role=tab]") !== null
  );
}

function inLesson(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".lesson-scroll") !== null;
}

/** Moves the focus to the next pane that is on the screen. */
function nextPane(desk: Desk, by: 1 | -1): void {
  const panes = PANES.map((id) => document.getElementById(id)).filter(
    (one): one is HTMLElement => one !== null && one.offsetParent !== null && one.clientHeight > 0,
  );
  const here = panes.findIndex((one) => one.contains(document.activeElement));
  const pane = panes[(here + by + panes.length) % panes.length];
  if (!pane) return;
  // What takes the keys: the terminal's or the editor's own field, whichever is on the screen, or the slider.
  const inner = pane.querySelectorAll<HTMLElement>(
    "[data-pane-focus] textarea, [data-pane-focus] .cm-content, [role=slider]",
  );
  const target = [...inner].find((one) => one.offsetParent !== null) ?? pane;
  if (target === pane) pane.tabIndex = -1;
  target.focus();
  desk.say(pane.getAttribute("aria-label") ?? "", false);
}
