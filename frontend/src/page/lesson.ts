/** Wakes the lesson page: the store, the shell's parts, and every island in the text. */
import { type Component, mount } from "svelte";
import { Desk } from "../lib/desk.svelte";
import { Live } from "../lib/live.svelte";
import { pageNonce, stampStyles } from "../lib/nonce";
import type { PageData } from "../lib/page";
import { watch } from "../lib/watch.svelte";
import Bench from "./Bench.svelte";
import BottomBar from "./BottomBar.svelte";
import ChecksIsland from "./ChecksIsland.svelte";
import ChecksPane from "./ChecksPane.svelte";
import EditLink from "./EditLink.svelte";
import FaultButton from "./FaultButton.svelte";
import HintCard from "./HintCard.svelte";
import { wireInline } from "./inline";
import { wireKeys } from "./keys";
import PictureBox from "./PictureBox.svelte";
import Predict from "./Predict.svelte";
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
type Anything = Component<any>;

export function mountLesson(page: PageData): Desk {
  stampStyles(pageNonce());
  const live = new Live(page);
  const desk = new Desk(live);
  mountShell(desk);
  mountIslands(desk, document.getElementById("lesson") ?? document.body);
  wireSteps(desk);
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
      void import("./Help.svelte").then(({ default: Help }) => put("help", Help, { desk }));
    },
  );
  put("said", Said, { desk });
}

/** Mounts into the element with this id; what it held (for readers without JavaScript) goes. */
function put(id: string, component: Anything, props: Record<string, unknown>): void {
  const target = document.getElementById(id);
  if (!target) return;
  target.replaceChildren();
  mount(component, { target, props });
}

type Maker = (desk: Desk, element: HTMLElement) => [Anything, Record<string, unknown>] | null;

const ISLANDS: Record<string, Maker> = {
  exercise: (desk, element) => [TaskCard, { desk, fallback: element.textContent?.trim() ?? "" }],
  run: (desk, element) => [RunBlock, { desk, run: true, text: codeOf(element) }],
  copy: (desk, element) => [RunBlock, { desk, run: false, text: codeOf(element) }],
  edit: (desk, { dataset }) => [EditLink, { desk, file: dataset.file ?? "", path: dataset.path ?? null }],
  predict: (desk, { dataset }) => [Predict, { desk, id: dataset.id ?? "" }],
  checks: (desk, { dataset }) => [ChecksIsland, { desk, ids: dataset.ids ?? "all" }],
  fault: (desk, { dataset }) => [FaultButton, { desk, id: dataset.id ?? "" }],
};

/** Two moments side by side: read at the end of a lesson, so loaded when the page is awake. */
function mountCompare(desk: Desk, element: HTMLElement): void {
  const { from, to, of } = element.dataset;
  if (!from || !to) return;
  void import("./Compare.svelte").then(({ default: Compare }) => {
    element.replaceChildren();
    mount(Compare, { target: element, props: { desk, from, to, of: of ?? "" } });
  });
}

/** What an island held stays as it is where nothing here knows its name. */
function mountIslands(desk: Desk, root: HTMLElement): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]")) {
    if (element.dataset.island === "compare") mountCompare(desk, element);
    const made = ISLANDS[element.dataset.island ?? ""]?.(desk, element);
    if (!made) continue;
    element.replaceChildren();
    mount(made[0], { target: element, props: made[1] });
    if (element.dataset.island === "exercise") mount(HintCard, { target: element, props: { desk } });
  }
}

function codeOf(element: HTMLElement): string {
  return (element.querySelector("code") ?? element).textContent?.trim() ?? "";
}
