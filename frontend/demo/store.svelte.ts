/** The live store without a server: the same folding, fed by hand; it also notes what the picture asked for. */
import { Live, type Mode } from "../src/lib/live.svelte";
import type { PageData } from "../src/lib/page";

const PAGE: PageData = {
  course: { slug: "demo", title: "Demo", href: "#" },
  lesson: { slug: "demo", title: "Demo", minutes: 1, hash: "", n: 1 },
  steps: [],
  exercise: null,
  params: {},
  me: null,
  sandbox: null,
  recording: null,
  cluster: { state: "ready", text: "", done: 0, total: 0, seconds_left: null, reason: null, remedy: null },
  urls: { start: "", api: "", socket: "", terminal: "", clusterSocket: "", next: null, home: "" },
  csrf: "",
};

export class DemoLive extends Live {
  forced = $state<Mode | null>(null);
  acts = $state<string[]>([]);

  constructor() {
    super(PAGE);
    this.start();
    this.sandbox = { id: "demo", phase: "open", readOnly: false };
  }

  override get mode(): Mode {
    return this.forced ?? super.mode;
  }

  override async act(name: string, body: Record<string, unknown> = {}): Promise<{ ok: true }> {
    this.note(`${name} ${JSON.stringify(body)}`);
    return { ok: true };
  }

  /** Answers what the page asks of a server from `answers`, by the end of the address. */
  answer(answers: Record<string, unknown>): void {
    window.fetch = async (url) => {
      const found = Object.entries(answers).find(([end]) => String(url).endsWith(end));
      return found
        ? Response.json(found[1])
        : Response.json({ error: { text: "Not in the demo." } }, { status: 404 });
    };
  }

  /** Plays the stored record at `url`. */
  film(url: string): void {
    this.sandbox = null;
    Object.assign(this.page, { recording: url });
    void this.playRecording();
  }

  note(what: string): void {
    this.acts = [...this.acts, what];
  }
}
