/** What the parts of the lesson page share beside the live state: step, tabs, theme, waiting commands. */
import { Cluster } from "./cluster.svelte";
import type { Live } from "./live.svelte";
import type { PageData, StepData } from "./page";

export type Pane = "lesson" | "terminal" | "checks";
export type Place = { file: string; path: string | null; at: number };

export class Desk {
  readonly live: Live;
  readonly page: PageData;
  readonly cluster: Cluster;

  step = $state(0);
  /** Steps that the reader left by "go on anyway" or by Next; dots up to here may be clicked. */
  reached = $state(0);
  /** Tab of the workbench: "terminal" or a file name; "checks" where checks are a tab. */
  tab = $state("terminal");
  /** Which pane a narrow screen shows. */
  pane = $state<Pane>("lesson");
  helpOpen = $state(false);
  /** The hint the reader put away. */
  hintPut = $state("");
  /** Where the editor should go next. */
  place = $state.raw<Place | null>(null);
  /** A sentence for the screen reader, and for everybody where something was refused. */
  said = $state("");
  saidSeen = $state(true);
  /** Commands waiting for the terminal to open. */
  #typed: string[] = [];
  #typist: ((text: string) => void) | null = null;

  constructor(live: Live) {
    this.live = live;
    this.page = live.page;
    this.cluster = new Cluster(live.page.cluster);
  }

  get steps(): StepData[] {
    return this.page.steps;
  }

  /** Nobody can meet a step's needs: no sandbox can be had now, or somebody only looks on. */
  get free(): boolean {
    if (this.live.readOnly || !this.page.exercise || !this.page.me) return true;
    return !this.live.sandbox && !this.cluster.ready;
  }

  goToStep(index: number): void {
    const last = this.steps.length - 1;
    this.step = Math.min(Math.max(0, index), Math.max(0, last));
    this.reached = Math.max(this.reached, this.step);
    this.pane = "lesson";
  }

  openTerminal(): void {
    this.tab = "terminal";
    this.pane = "terminal";
  }

  openFile(file: string, path: string | null = null): void {
    this.tab = file;
    this.pane = "terminal";
    this.place = { file, path, at: Date.now() };
  }

  openChecks(): void {
    this.tab = "checks";
    this.pane = "checks";
  }

  /** Types `text` into the student's terminal, opening it if it was closed. */
  type(text: string): void {
    if (!this.live.sandbox) {
      this.say("Start your sandbox first: the terminal opens in it.");
      return;
    }
    if (this.live.readOnly) {
      this.say("You are looking on. Only the student can type here.");
      return;
    }
    this.openTerminal();
    if (this.#typist) this.#typist(text);
    else this.#typed.push(text);
  }

  /** The terminal says how to type, and gets what waited. `null` while it is closed. */
  takeTypist(typist: ((text: string) => void) | null): void {
    this.#typist = typist;
    if (!typist) return;
    for (const text of this.#typed.splice(0)) typist(text);
  }

  /** `seen` false: only for the screen reader, where the page shows the same by itself. */
  say(text: string, seen = true): void {
    this.said = "";
    this.saidSeen = seen;
    // The same sentence twice is spoken twice.
    queueMicrotask(() => {
      this.said = text;
    });
  }

  /** Opens a hint. Returns what to say when there is none, or why not. */
  async askHint(): Promise<string> {
    this.hintPut = "";
    let none = false;
    const refused = await this.try(async () => {
      none = !(await this.live.act("hint")).say;
    });
    if (refused || !none) return refused;
    const open = this.page.exercise?.checks.find((one) => this.live.of("check", one.id)?.state !== "pass");
    return `No hint fits this moment.${open ? ` Next to reach: \u201c${open.say}\u201d.` : ""}`;
  }

  /** Runs an action; a refusal becomes its sentence, success "". */
  async try(work: () => Promise<unknown>): Promise<string> {
    try {
      await work();
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
