/** Words in the text that do something: commands, objects, terms. One listener each for the whole lesson. */
import type { Desk } from "../lib/desk.svelte";
import type { Item } from "../lib/protocol";

export function wireInline(desk: Desk): void {
  const lesson = document.getElementById("lesson");
  if (!lesson) return;
  for (const object of lesson.querySelectorAll<HTMLElement>(".obj")) {
    object.tabIndex = 0;
    object.setAttribute("role", "button");
  }
  lesson.addEventListener("click", (event) => act(desk, event.target as Element));
  lesson.addEventListener("keydown", (event) => {
    const target = event.target as Element;
    if ((event.key === "Enter" || event.key === " ") && target.matches(".obj")) {
      event.preventDefault();
      act(desk, target);
    }
  });
  wireTerms(lesson);
}

function act(desk: Desk, target: Element): void {
  const command = target.closest<HTMLElement>(".cmd");
  // The command is typed, and Enter stays with the reader: it may want a change first.
  if (command) desk.type(command.dataset.cmd || (command.textContent ?? ""));
  const object = target.closest<HTMLElement>(".obj");
  if (!object) return;
  const key = keyOf(desk.live.items, object.dataset.obj ?? object.textContent ?? "");
  if (key) desk.live.select(key);
  else desk.say("Not there yet.");
}

/** Key of `Kind/name` among the items; Pods are also found by label value (`Pod/storefront` → the first). */
export function keyOf(items: Record<string, Item>, name: string): string | null {
  const [kind = "", wanted = ""] = name.split("/");
  const lower = kind.toLowerCase();
  for (const [key, item] of Object.entries(items)) {
    if (!("name" in item) || !key) continue;
    const its = item.t === "workload" || item.t === "object" ? item.kind.toLowerCase() : item.t;
    if (its !== lower) continue;
    if (item.name === wanted || (item.t === "pod" && item.app === wanted)) return key;
  }
  return null;
}

/** Terms show their sentence on hover, focus and tap; Escape puts it away. */
function wireTerms(lesson: HTMLElement): void {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.id = "term-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);

  const show = (term: HTMLElement): void => {
    const text = (term.querySelector('[role="tooltip"]') ?? tooltipAfter(term))?.textContent?.trim();
    if (!text) return;
    tip.textContent = text;
    tip.hidden = false;
    term.setAttribute("aria-describedby", tip.id);
    const box = term.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left), innerWidth - tip.offsetWidth - 8);
    const below = box.bottom + 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${below + tip.offsetHeight > innerHeight ? box.top - tip.offsetHeight - 6 : below}px`;
  };
  const hide = (): void => {
    tip.hidden = true;
  };
  for (const term of lesson.querySelectorAll<HTMLElement>(".term")) {
    term.addEventListener("pointerenter", () => show(term));
    term.addEventListener("pointerleave", hide);
    term.addEventListener("focus", () => show(term));
    term.addEventListener("blur", hide);
    term.addEventListener("click", () => show(term));
  }
  lesson.addEventListener("scroll", hide, { capture: true, passive: true });
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
}

function tooltipAfter(term: HTMLElement): Element | null {
  const next = term.nextElementSibling;
  return next?.getAttribute("role") === "tooltip" ? next : null;
}
