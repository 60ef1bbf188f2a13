/** What the person has chosen to see in this picture: cursor, layers, what acts now. Not the cluster's state. */
import { getContext, setContext } from "svelte";
import type { Live } from "../lib/live.svelte";

/** The part of the live store that the picture needs; the demo page brings one of its own. */
export type PictureStore = Pick<
  Live,
  | "items"
  | "mode"
  | "late"
  | "behind"
  | "tries"
  | "problem"
  | "moment"
  | "animate"
  | "texts"
  | "selected"
  | "select"
  | "readOnly"
  | "sandbox"
  | "backToLive"
  | "head"
  | "toggle"
  | "mine"
  | "now"
  | "page"
  | "history"
  | "isRecorded"
  | "onFrame"
  | "itemsAt"
  | "goTo"
  | "goToMoment"
  | "practice"
> & { act(name: string, body: Record<string, unknown>): Promise<unknown> };

/** What a scene other than the ship gets; it draws in the picture's whole area. */
export interface SceneProps {
  store: PictureStore;
  /** The picture's size, px. */
  width: number;
  height: number;
  /** Makes ids of this picture's own. */
  uid: string;
  /** Whether the text twin is wanted in the drawing's place. */
  twin: boolean;
  /** Opens the card of an item, by key. */
  onopen: (key: string) => void;
}

export type Layer = "traffic" | "ownership" | "scheduling";
/** A component or plate stays lit at least this long after an act. */
const LIT_MS = 600;

export class Board {
  /** The object that Tab reaches and the arrows move from. */
  cursor = $state<string | null>(null);
  hover = $state<string | null>(null);
  layers = $state({ traffic: true, ownership: true, scheduling: true });
  paused = $state(false);
  reduced = $state(false);
  /** Keys that acted just now. */
  lit = $state.raw<ReadonlySet<string>>(new Set());
  /** Keys that the lesson points at, and whether the rest steps back. */
  focus = $state.raw<ReadonlySet<string> | null>(null);
  highlight = $state.raw<ReadonlySet<string>>(new Set());
  readonly store: PictureStore;

  #stamps = new Map<string, unknown>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #off: (() => void) | undefined;

  constructor(store: PictureStore) {
    this.store = store;
  }

  /** Follows the reader's wish for less motion. Returns the way out. */
  watchMotion(): () => void {
    const query = matchMedia("(prefers-reduced-motion: reduce)");
    const follow = (): void => {
      this.reduced = query.matches;
    };
    follow();
    query.addEventListener("change", follow);
    this.#off = () => query.removeEventListener("change", follow);
    return () => {
      this.#off?.();
      for (const timer of this.#timers.values()) clearTimeout(timer);
    };
  }

  /** True while a change may move: the store says so and the reader has not asked for stillness. */
  get moves(): boolean {
    return this.store.animate && !this.reduced;
  }

  dim(...keys: (string | null)[]): boolean {
    return this.focus !== null && !keys.some((key) => key !== null && this.focus?.has(key));
  }

  toggle(layer: Layer): void {
    this.layers[layer] = !this.layers[layer];
  }

  /** Lights whatever has another stamp than the last time; the first look lights nothing. */
  noteStamps(stamps: Iterable<[key: string, stamp: unknown]>, cut: boolean): void {
    const fresh: string[] = [];
    for (const [key, stamp] of stamps) {
      const known = this.#stamps.has(key);
      if (this.#stamps.get(key) !== stamp && known && !cut) fresh.push(key);
      this.#stamps.set(key, stamp);
    }
    if (fresh.length) this.#light(fresh);
  }

  #light(keys: string[]): void {
    this.lit = new Set([...this.lit, ...keys]);
    for (const key of keys) {
      clearTimeout(this.#timers.get(key));
      this.#timers.set(
        key,
        setTimeout(() => {
          const rest = new Set(this.lit);
          rest.delete(key);
          this.lit = rest;
        }, LIT_MS),
      );
    }
  }
}

const BOARD = Symbol("board");
export const provideBoard = (board: Board): Board => setContext(BOARD, board);
export const theBoard = (): Board => getContext<Board>(BOARD);
