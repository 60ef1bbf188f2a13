/** Wakes the lesson page: the store, the shell's parts, and every island in the text. */
import { type Component, mount } from "svelte";
import { Desk } from "../lib/desk.svelte";
import { Live } from "../lib/live.svelte";
import { pageNonce, stampStyles } from "../lib/nonce";
import type { PageData } from "../lib/page";
import { fetchPart } from "../lib/part";
import { watch } from "../lib/watch.svelte";
import Bench from "./Bench.svelte";
import BottomBar from "./BottomBar.svelte";
import ChecksPane from "./ChecksPane.svelte";
import { wireInline } from "./inline";
import { wireKeys } from "./keys";
import PictureBox from "./PictureBox.svelte";
import RunBlock from "./RunBlock.svelte";
import Said from "./Said.svelte";
import Status from "./Status.svelte";
import StepBar from "./StepBar.svelte";
import Strip from "./Strip.svelte";
import { wireSteps } from "./steps";
import TaskCard from "./TaskCard.svelte";

const Picture =
  Object.values(
    import.meta.glob<{ default: Component<{ store: Live }> }>("../picture/Picture.svelte", { eager: true }),
  )[0]?.default ?? null;

// biome-ignore lint/suspicious/noExplicitAny: each island has its own props; they are checked where they are named.
export type Anything = Component<any>;

export function mountLesson(page: PageData): Desk {
  stampStyles(pageNonce());
  const live = new Live(page);
  const desk = new Desk(live);
  mountShell(desk);
  wireSteps(desk);
  mountIslands(desk, document.getElementById("lesson") ?? document.body);
  wireInline(desk);
  wireKeys(desk);
  live.start();
  desk.cluster.start(page.urls.clusterSocket);
  return desk;
}

function mountShell(desk: Desk): void {
  put("status", Status, { desk });
  put("steps-bar", StepBar, { desk });
  put("picture", PictureBox, { desk, Picture });
  put("strip", Strip, { desk });
  put("bench", Bench, { desk });
  put("checks", ChecksPane, { desk });
  put("bottom-bar", BottomBar, { desk });
  // Asked for rarely: the list of keys comes when somebody asks.
  const unwatch = watch(
    () => desk.helpOpen,
    (open) => {
      if (!open) return;
      queueMicrotask(() => unwatch());
      void fetchPart(() => import("./Help.svelte")).then(({ default: Help }) => put("help", Help, { desk }));
    },
  );
  put("said", Said, { desk });
  const shell = document.getElementById("shell");
  if (shell) void fetchPart(() => import("./splitters")).then(({ wireSplitters }) => wireSplitters(shell));
}

/** Mounts into the element with this id; what it held (for readers without JavaScript) goes. */
function put(id: string, component: Anything, props: Record<string, unknown>): void {
  const target = document.getElementById(id);
  if (!target) return;
  target.replaceChildren();
  mount(component, { target, props });
}

export type Maker = (desk: Desk, element: HTMLElement) => [Anything, Record<string, unknown>] | null;

const ISLANDS: Record<string, Maker> = {
  exercise: (desk, element) => [TaskCard, { desk, fallback: element.textContent?.trim() ?? "" }],
  run: (desk, element) => [RunBlock, { desk, run: true, text: codeOf(element) }],
  copy: (desk, element) => [RunBlock, { desk, run: false, text: codeOf(element) }],
};

/** Islands of later steps: they come when the page is awake and their step is near, not with the first view. */
function mountLater(desk: Desk, elements: HTMLElement[]): void {
  if (elements.length === 0 && !desk.page.exercise?.menu?.length) return;
  void fetchPart(() => import("./later")).then(({ LATER, furnish }) => {
    furnish(desk);
    for (const element of elements) {
      const made = LATER[element.dataset.island ?? ""]?.(desk, element);
      if (!made) continue;
      element.replaceChildren();
      mount(made[0], { target: element, props: made[1] });
    }
  });
}

/** What an island held stays as it is where nothing here knows its name. */
function mountIslands(desk: Desk, root: HTMLElement): void {
  const later: HTMLElement[] = [];
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]")) {
    const made = ISLANDS[element.dataset.island ?? ""]?.(desk, element);
    if (!made) {
      later.push(element);
      continue;
    }
    element.replaceChildren();
    mount(made[0], { target: element, props: made[1] });
  }
  // Not before the first view is drawn; at once when the reader comes back to a later step.
  const soon = (): void => mountLater(desk, later);
  if (desk.step > 0) soon();
  else setTimeout(soon, 300);
}

function codeOf(element: HTMLElement): string {
  return (element.querySelector("code") ?? element).textContent?.trim() ?? "";
}
