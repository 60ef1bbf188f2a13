/** One step at a time: which `<section class="step">` is shown, and the scene it directs. */
import type { Desk } from "../lib/desk.svelte";
import { recall, remember } from "../lib/theme";
import { watch } from "../lib/watch.svelte";

export interface Scene {
  scene: string;
  focus: string;
  highlight: string;
  annotate: string[];
  layout: string;
  allow: string;
  say: string;
}

export function wireSteps(desk: Desk): void {
  const lesson = document.getElementById("lesson");
  const shell = document.getElementById("shell");
  if (!lesson || !shell) return;
  const sections = [...lesson.querySelectorAll<HTMLElement>("section.step")];
  const key = `glasshull.step.${desk.page.course.slug}.${desk.page.lesson.slug}`;
  const asked = sections.findIndex((one) => one.id === location.hash.slice(1));
  const stored = Number(recall(key) ?? 0);
  const before = Number.isInteger(stored) && stored > 0 && stored < sections.length ? stored : 0;
  desk.reached = before;
  desk.step = asked >= 0 ? asked : before;
  desk.reached = Math.max(desk.reached, desk.step);

  lessonMinutes = document.getElementById("step-minutes")?.textContent ?? "";
  let shown = -1;
  watch(
    () => desk.step,
    (step) => {
      for (const [i, section] of sections.entries()) section.classList.toggle("now", i === step);
      lesson.classList.add("awake");
      lesson.classList.toggle("first", step === 0);
      tellMeta(sections[step], step, sections.length);
      remember(key, String(step));
      desk.live.tellStep(sections[step]?.dataset.step ?? "");
      if (shown >= 0) {
        const section = sections[step];
        if (section) history.replaceState(null, "", `#${section.id}`);
        lesson.querySelector(".lesson-scroll")?.scrollTo({ top: 0 });
        const heading = section?.querySelector<HTMLElement>("h2");
        heading?.setAttribute("tabindex", "-1");
        heading?.focus({ preventScroll: true });
      }
      shown = step;
      direct(sections[step]);
    },
  );
  watch(
    () => [desk.tab, desk.pane] as const,
    ([tab, pane]) => {
      shell.dataset.tab = tab === "checks" ? "checks" : "work";
      shell.dataset.pane = pane;
    },
  );
  lesson
    .querySelector(".lesson-scroll")
    ?.addEventListener("scroll", () => direct(sections[desk.step]), { passive: true });
}

/** How long the whole lesson takes, as the server wrote it. */
let lessonMinutes = "";

function tellMeta(section: HTMLElement | undefined, step: number, count: number): void {
  const meta = document.getElementById("step-of");
  if (meta) meta.textContent = `step ${step + 1} of ${count}`;
  const minutes = section?.dataset.minutes;
  const about = document.getElementById("step-minutes");
  if (about) about.textContent = minutes ? `about ${minutes} min` : lessonMinutes;
}

let directed: HTMLElement | null | undefined;

/** Tells the picture what the paragraph in view is about: the last scene that was scrolled to. */
function direct(section: HTMLElement | undefined): void {
  const scenes = [...(section?.querySelectorAll<HTMLElement>(".scene") ?? [])];
  const limit = innerHeight * 0.6;
  const current =
    scenes.findLast((one) => (one.nextElementSibling?.getBoundingClientRect().top ?? 0) < limit) ??
    scenes[0] ??
    null;
  if (current === directed) return;
  directed = current;
  window.dispatchEvent(
    new CustomEvent<Scene | null>("glasshull:scene", { detail: current && sceneOf(current) }),
  );
}

function sceneOf({ dataset }: HTMLElement): Scene {
  let annotate: string[] = [];
  try {
    const list: unknown = JSON.parse(dataset.annotate ?? "[]");
    if (Array.isArray(list)) annotate = list.map(String);
  } catch {
    annotate = [];
  }
  return {
    scene: dataset.scene ?? "",
    focus: dataset.focus ?? "",
    highlight: dataset.highlight ?? "",
    annotate,
    layout: dataset.layout ?? "",
    allow: dataset.allow ?? "",
    say: dataset.say ?? "",
  };
}
