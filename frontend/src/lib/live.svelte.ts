/**
 * The live store: one per lesson page. Folds the sandbox's frames, and any moment of its history or of a
 * recording, into `items`; the picture and the strip read it, the islands of the lesson read `mine`.
 *
 * Items are immutable: a changed item is a new object, an unchanged one keeps its identity. So a keyed
 * `{#each}` updates only what changed, and a component may compare by `===`.
 */
import { ActionRefused, type Answer, get, post } from "./actions";
import { Feed } from "./feed";
import { type PageData, type SandboxData, sandboxUrl, socketUrl } from "./page";
import { fetchPart } from "./part";
import type { Practice } from "./practice.svelte";
import {
  type DeltaFrame,
  type Frame,
  foldTo,
  framesUntil,
  freshness,
  type History,
  type Item,
  type ItemOf,
  type Items,
  judge,
  type MarkerItem,
  merge,
  type SnapshotFrame,
} from "./protocol";
import { type BadgeTexts, badgeTexts } from "./words";

/**
 * live: the newest state of my sandbox (`late` tells whether it is a little behind) · past: my sandbox at an
 * earlier moment · recorded: a stored run · loading: the sandbox is being made or its first snapshot is on
 * the way · stale: no news for 10 s, `items` are the last known · error: the feed ended for good (`problem`)
 * · empty: neither a sandbox nor a recording.
 */
export type Mode = "live" | "past" | "recorded" | "empty" | "loading" | "stale" | "error";

export class Live {
  readonly page: PageData;

  /** What is drawn: the newest items, or those of the moment under the playhead. */
  items = $state.raw<Items>({});
  /** The newest items of my own sandbox, whatever the picture shows; `{}` without a sandbox. */
  mine = $state.raw<Items>({});
  /** Seconds the observer says it is behind the cluster. */
  behind = $state(0);
  /** Seconds since the last frame or beat. */
  silence = $state(0);
  /** Since when the observer itself has no news of the cluster, unix s. */
  staleSince = $state<number | null>(null);
  /** Number of the next try while the socket is down, else 0. */
  tries = $state(0);
  /** Why the feed ended or a history could not be read: a sentence, or "". */
  problem = $state("");
  /** Unix seconds by the server's clock, four times a second; count ages from `moment`. */
  now = $state(Date.now() / 1000);
  sandbox = $state.raw<SandboxData | null>(null);
  selected = $state<string | null>(null);
  /** True while changes may be animated: live, or playing. False for a cut (scrub, jump, snapshot). */
  animate = $state(false);

  // Playhead. `head` is null at the live edge.
  head = $state<number | null>(null);
  playing = $state(false);
  speed = $state(1);
  history = $state.raw<History | null>(null);
  /** The viewer's own answers to a recording; null elsewhere, and where the lesson asks nothing. */
  practice = $state.raw<Practice | null>(null);
  /** A recording as far as it was watched, wherever the playhead is now. */
  #watched = $state.raw<Items>({});
  #reached = 0; // frames of it

  #recorded = $state(false);
  #final = $state(false);
  #heard = $state(false);
  #position = { epoch: 0, seq: 0 };
  #waiting = false; // a snapshot is asked for: deltas are ignored until it comes (L5)
  #feed: Feed | null = null;
  #lastHeard = 0;
  #skew = 0;
  #cursor = 0;
  #folded: Items = {};
  #played = 0;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #asked = "";
  #step = "";
  #sandboxListeners = new Set<(sandbox: SandboxData | null) => void>();
  #frameListeners = new Set<(frame: SnapshotFrame | DeltaFrame) => void>();

  constructor(page: PageData) {
    this.page = page;
    this.sandbox = page.sandbox;
  }

  /** Opens the socket of my sandbox, or plays the recording when there is none. */
  start(): void {
    this.#ticker = setInterval(() => this.#tick(), 250);
    if (this.sandbox) this.#open(this.sandbox);
    else void this.playRecording();
  }

  stop(): void {
    clearInterval(this.#ticker);
    this.#feed?.close();
    this.#feed = null;
  }

  /** Tells the class table which step is being read. The server listens to the owner only. */
  tellStep(step: string): void {
    this.#step = step;
    if (step) this.#feed?.send(JSON.stringify({ f: "at", step }));
  }

  // ── what the page shows ────────────────────────────────────────────────────────────────────────────

  get mode(): Mode {
    if (this.#recorded && this.history) return "recorded";
    if (this.head !== null) return "past";
    if (this.#final) return "error";
    if (!this.sandbox) return "empty";
    if (!this.#heard || isWaking(this.self)) return "loading";
    return this.freshness === "stale" ? "stale" : "live";
  }

  get freshness(): "live" | "late" | "stale" {
    return freshness(this.silence, this.behind, this.staleSince);
  }

  get late(): boolean {
    return this.freshness === "late";
  }

  /** The moment drawn, unix s: the playhead, or now. */
  get moment(): number {
    return this.head ?? this.now;
  }

  /** Badge word and detail, the strip's sentence: visual.md 9 and 13. */
  get texts(): BadgeTexts {
    return badgeTexts(this);
  }

  /** My sandbox's own item. */
  get self(): ItemOf<"sandbox"> | null {
    return (this.mine["sandbox/self"] as ItemOf<"sandbox"> | undefined) ?? null;
  }

  get attempt(): ItemOf<"attempt"> | null {
    return (this.mine["attempt/now"] as ItemOf<"attempt"> | undefined) ?? null;
  }

  get readOnly(): boolean {
    return this.sandbox?.readOnly ?? false;
  }

  /** The newest items there are to be told of: mine, or those of a recording as far as it was watched. */
  get known(): Items {
    return this.#recorded ? this.#watched : this.mine;
  }

  /** One item of my sandbox by key, newest state; in a recording as far as it was watched. */
  of<T extends Item["t"]>(t: T, id: string): ItemOf<T> | null {
    const key = `${t}/${id}`;
    const item = this.practice ? this.practice.seen(key, this.#watched) : this.known[key];
    return (item as ItemOf<T> | undefined) ?? null;
  }

  /** Every marker of the track under the strip, also those after the playhead, in order. */
  markers: MarkerItem[] = $derived.by(() => markersOf(this.#recorded ? this.#recordedEnd : this.mine));
  #recordedEnd: Items = $derived(
    this.#recorded && this.history ? foldTo(this.history, this.history.frames.length) : {},
  );

  /** First and last moment of the track, unix s. */
  get span(): [number, number] {
    const first = this.history?.start.at ?? this.markers[0]?.at ?? this.attempt?.started ?? this.now;
    if (this.#recorded && this.history) return [first, first + this.history.seconds];
    return [Math.min(first, this.markers[0]?.at ?? first), this.now];
  }

  get isRecorded(): boolean {
    return this.#recorded;
  }

  select(key: string | null): void {
    this.selected = key;
  }

  // ── what the person does ───────────────────────────────────────────────────────────────────────────

  /** One of the actions of section 5. Throws `ActionRefused` with the sentence for the person. */
  async act(name: string, body: Record<string, unknown> = {}): Promise<Answer> {
    if (this.readOnly) {
      throw new ActionRefused("read-only", "You are looking on. Only the student can do this.", 403);
    }
    if (!this.sandbox) throw new ActionRefused("no-sandbox", "Start your sandbox first.", 409);
    return post(sandboxUrl(this.page.urls.api, this.sandbox.id, name), body, this.page.csrf);
  }

  /** Makes my sandbox (or finds it) and opens its socket. */
  async begin(): Promise<void> {
    const { course, lesson, urls, csrf } = this.page;
    const answer = await post(urls.start, { course: course.slug, lesson: lesson.slug }, csrf);
    const made = (answer.sandbox ?? answer) as Partial<SandboxData>;
    if (!made.id) throw new ActionRefused("no-id", "The server gave no sandbox. Try again.", 500);
    this.#enter({
      id: String(made.id),
      phase: made.phase ?? "requested",
      readOnly: false,
      namespace: made.namespace,
    });
  }

  /** Leaves a sandbox that is gone, so that Start stands there again. */
  leave(): void {
    this.#feed?.close();
    this.#feed = null;
    this.sandbox = null;
    this.mine = {};
    this.#final = false;
    this.#forgetHistory();
    this.#announce();
    void this.playRecording();
  }

  /** Calls `listener` now and whenever another sandbox (or none) is entered. Returns the way out. */
  onSandbox(listener: (sandbox: SandboxData | null) => void): () => void {
    this.#sandboxListeners.add(listener);
    listener(this.sandbox);
    return () => this.#sandboxListeners.delete(listener);
  }

  /** Calls `listener` with every frame that is taken into `mine`, in order. Returns the way out. */
  onFrame(listener: (frame: SnapshotFrame | DeltaFrame) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────

  /** Moves the picture to the entry `seq` of the record (the moment that decided a verdict). */
  async goTo(seq: number): Promise<void> {
    const marker = this.markers.find((one) => one.seq === seq);
    if (!(await this.#ensureHistory(seq))) return;
    const frames = (this.history as History).frames;
    const index = frames.findIndex((frame) => frame.seq >= seq);
    const frame = frames[index];
    this.playing = false;
    if (frame) this.#cut(index + 1, frame.at);
    else if (marker) this.#cutTo(marker.at);
  }

  /** Moves the picture to a moment, unix s. At or beyond the live edge it goes back to LIVE. */
  async goToMoment(at: number): Promise<void> {
    if (!this.#recorded && at >= this.span[1] - 0.25) return this.backToLive();
    if (!(await this.#ensureHistory(null, at))) return;
    this.#cutTo(at);
  }

  /** Items at a moment, unix s, without moving the picture; null where no record reaches. */
  async itemsAt(at: number): Promise<Items | null> {
    if (!(await this.#ensureHistory(null, at))) return null;
    const history = this.history as History;
    return foldTo(history, framesUntil(history.frames, at));
  }

  /** To the event marker before or after the playhead. */
  async step(direction: -1 | 1): Promise<void> {
    const here = this.moment;
    const candidates = this.markers.filter((one) =>
      direction < 0 ? one.at < here - 0.05 : one.at > here + 0.05,
    );
    const next = direction < 0 ? candidates.at(-1) : candidates[0];
    if (next) await this.goTo(next.seq);
    else if (direction > 0) this.backToLive();
    else await this.goToMoment(this.span[0]);
  }

  /** Back to the live edge; in a recording to its end. */
  backToLive(): void {
    this.playing = false;
    if (this.#recorded) {
      this.#cutTo(this.span[1]);
      return;
    }
    this.animate = false;
    this.head = null;
    this.items = this.mine;
  }

  async play(): Promise<void> {
    if (this.head === null) return;
    if (this.head >= this.span[1] - 0.05) this.#cutTo(this.span[0]);
    this.playing = true;
    this.animate = true;
    this.#played = performance.now();
    requestAnimationFrame(this.#advance);
  }

  pause(): void {
    this.playing = false;
  }

  /** Plays or pauses; at the live edge a pause holds the picture at this moment. */
  toggle(): void {
    if (this.head === null) void this.goToMoment(this.now - 0.3);
    else if (this.playing) this.pause();
    else void this.play();
  }

  /** Loads and plays the stored run of this lesson; leaves the picture empty where there is none. */
  async playRecording(): Promise<void> {
    const { recording: url, exercise } = this.page;
    if (!url || this.sandbox) return;
    const asks = exercise && exercise.predictions.length + (exercise.questions?.length ?? 0) > 0;
    const part = asks ? fetchPart(() => import("./practice.svelte")) : null;
    const recording = await this.#read(url);
    const Practice = (await part)?.Practice;
    if (!recording || this.sandbox) return;
    if (Practice) this.practice = new Practice(this.page, recording, (film) => this.#stretch(film));
    this.history = this.practice?.film ?? recording;
    this.#recorded = true;
    this.#cutTo(recording.start.at);
    await this.play();
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a longer film in place and plays on where the other ended; or a shorter one, no further than its end. */
  #stretch(film: History): void {
    const waited = this.head !== null && this.head >= this.span[1] - 0.05;
    const longer = film.frames.length > (this.history?.frames.length ?? 0);
    this.history = film;
    if (this.#reached > film.frames.length) {
      this.#reached = film.frames.length;
      this.#watched = foldTo(film, this.#reached);
    }
    const left = this.span[1] - (this.head ?? 0);
    if (longer && waited && left > 0.1) void this.play();
    else if (left < 0 || (longer && waited)) this.backToLive();
  }

  #enter(sandbox: SandboxData): void {
    this.#forgetHistory();
    this.#feed?.close();
    this.#final = false;
    this.#heard = false;
    this.mine = {};
    this.items = {};
    this.#position = { epoch: 0, seq: 0 };
    this.sandbox = sandbox;
    this.#announce();
    this.#open(sandbox);
  }

  #announce(): void {
    for (const listener of this.#sandboxListeners) listener(this.sandbox);
  }

  #forgetHistory(): void {
    this.playing = false;
    this.#recorded = false;
    this.practice = null;
    this.#watched = {};
    this.#reached = 0;
    this.history = null;
    this.head = null;
    this.#cursor = 0;
    this.#folded = {};
  }

  #open(sandbox: SandboxData): void {
    this.#lastHeard = performance.now();
    this.#feed = new Feed(socketUrl(sandboxUrl(this.page.urls.socket, sandbox.id)), {
      onOpen: (send) => {
        send(JSON.stringify({ f: "resume", ...this.#position }));
        this.tellStep(this.#step);
      },
      onText: (text) => this.receive(JSON.parse(text) as Frame),
      onLost: (n) => {
        this.tries = n;
        this.#waiting = false;
      },
      onFinal: (_code, text) => {
        this.#final = true;
        // What the server said in its last frame is more exact than the code.
        this.problem ||= text;
      },
    });
  }

  /** Takes one frame from the server. Public for tests and for the demo page. */
  receive(frame: Frame): void {
    this.#lastHeard = performance.now();
    this.silence = 0;
    this.tries = 0;
    if (frame.f === "bye") {
      this.problem = frame.text;
      return;
    }
    if (frame.f === "beat") {
      this.#skew = frame.at - Date.now() / 1000;
      this.behind = frame.behind;
      this.staleSince = frame.stale_since;
      return;
    }
    if (frame.f === "snapshot") {
      this.#waiting = false;
      this.#heard = true;
      this.problem = "";
      this.#position = { epoch: frame.epoch, seq: frame.seq };
      this.#show({ ...frame.items }, false);
      for (const listener of this.#frameListeners) listener(frame);
      return;
    }
    if (this.#waiting) return;
    const verdict = judge(this.#position, frame);
    if (verdict === "ignore") return;
    if (verdict === "gap") {
      this.#waiting = true;
      this.#feed?.send(JSON.stringify({ f: "snapshot" }));
      return;
    }
    this.#position.seq = frame.seq;
    if (!this.#recorded && this.history) this.#remember(frame);
    this.#show(merge({ ...this.mine }, frame), true);
    for (const listener of this.#frameListeners) listener(frame);
  }

  #show(mine: Items, animate: boolean): void {
    this.mine = mine;
    this.#learnNamespace();
    if (this.head !== null) return;
    this.animate = animate;
    this.items = mine;
  }

  /** The namespace gets its name only when it is made; asking to start again answers with it. */
  #learnNamespace(): void {
    const { sandbox } = this;
    const made = this.self?.phase === "ready" || this.self?.phase === "open";
    if (!made || !sandbox || sandbox.readOnly || sandbox.namespace || this.#asked === sandbox.id) return;
    this.#asked = sandbox.id;
    const { course, lesson, urls, csrf } = this.page;
    post(urls.start, { course: course.slug, lesson: lesson.slug }, csrf).then(
      (answer) => {
        const found = answer.sandbox as Partial<SandboxData> | undefined;
        if (found?.namespace && String(found.id) === this.sandbox?.id) {
          this.sandbox = { ...this.sandbox, namespace: found.namespace };
        }
      },
      () => {}, // only a name in the header; the page works without it
    );
  }

  #remember(frame: DeltaFrame): void {
    const history = this.history as History;
    const last = history.frames.at(-1)?.seq ?? history.start.seq;
    if (frame.epoch !== history.epoch || (frame.from ?? frame.seq) !== last + 1) {
      // Not one piece any more; the next look at the past reads it anew.
      if (this.head === null) this.history = null;
      return;
    }
    history.frames.push(frame);
  }

  async #ensureHistory(seq: number | null, at?: number): Promise<boolean> {
    if (this.#recorded) return this.history !== null;
    if (!this.sandbox) return false;
    const last = this.history?.frames.at(-1);
    const reaches =
      last &&
      (seq === null || last.seq >= seq) &&
      (at === undefined || last.at >= at || this.#isNewest(last));
    if (!reaches) {
      const history = await this.#read(sandboxUrl(this.page.urls.api, this.sandbox.id, "history"));
      if (!history) return false;
      this.history = history;
      this.#cursor = 0;
      this.#folded = { ...history.start.items };
    }
    return true;
  }

  #isNewest(frame: DeltaFrame): boolean {
    return frame.epoch === this.#position.epoch && frame.seq === this.#position.seq;
  }

  async #read(url: string): Promise<History | null> {
    try {
      const history = await get<History>(url);
      this.problem = "";
      return history;
    } catch (error) {
      // A lesson without a recording is no problem of the reader's.
      if (!(error instanceof ActionRefused)) this.problem = "The record cannot be read just now. Try again.";
      else if (error.status !== 404) this.problem = error.message;
      return null;
    }
  }

  #cutTo(at: number): void {
    const history = this.history;
    if (!history) return;
    const [first, last] = this.span;
    const moment = Math.min(Math.max(at, first), last);
    this.#cut(framesUntil(history.frames, moment), moment);
  }

  /** Shows the items after `count` frames without motion. */
  #cut(count: number, at: number): void {
    this.animate = false;
    this.head = at;
    this.#foldTo(count);
  }

  #foldTo(count: number): void {
    const history = this.history as History;
    if (count === this.#cursor && this.items === this.#folded) return;
    if (count < this.#cursor || this.#cursor === 0) {
      this.#folded = foldTo(history, count);
    } else {
      const next = { ...this.#folded };
      for (let i = this.#cursor; i < count; i++) merge(next, history.frames[i] as DeltaFrame);
      this.#folded = next;
    }
    this.#cursor = count;
    this.items = this.#folded;
    if (count < this.#reached) return;
    this.#reached = count;
    this.#watched = this.#folded;
  }

  readonly #advance = (): void => {
    if (!this.playing || this.head === null || !this.history) return;
    const now = performance.now();
    // A tab in the background wakes up seconds later: the film waits instead of leaping.
    const passed = Math.min((now - this.#played) / 1000, 0.5) * this.speed;
    this.#played = now;
    const head = this.head + passed;
    if (head >= this.span[1]) {
      this.#foldTo(this.history.frames.length);
      this.playing = false;
      if (this.#recorded) this.head = this.span[1];
      else this.backToLive();
      return;
    }
    this.head = head;
    const count = framesUntil(this.history.frames, head);
    if (count > this.#cursor) {
      this.animate = true;
      this.#foldTo(count);
    }
    requestAnimationFrame(this.#advance);
  };

  #tick(): void {
    this.now = Date.now() / 1000 + this.#skew;
    if (this.sandbox) this.silence = (performance.now() - this.#lastHeard) / 1000;
  }
}

function isWaking(self: ItemOf<"sandbox"> | null): boolean {
  return self !== null && (self.phase === "requested" || self.phase === "preparing");
}

function markersOf(items: Items): MarkerItem[] {
  const markers = Object.values(items).filter((item): item is MarkerItem => item.t === "marker");
  return markers.sort((a, b) => a.seq - b.seq);
}
