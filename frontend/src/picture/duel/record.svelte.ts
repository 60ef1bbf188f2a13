/** Tapes fed by the store: of one's own record as it comes, of a recording as it is played. */
import { untrack } from "svelte";
import type { History, SnapshotFrame } from "../../lib/protocol";
import type { PictureStore } from "../board.svelte";
import { Tape } from "./tape";

/** Charts are drawn anew at most this often, ms. */
const BATCH_MS = 250;

export interface LiveTape {
  readonly tape: Tape;
  /** Rises when the tape has taken something new. */
  readonly version: number;
}

/**
 * Follows the store's sandbox: first what the record already has, then every frame. Call while a component is made.
 * Frames that come while the history is on its way wait for it; the tape leaves out those it holds by then.
 */
export function taped(store: () => PictureStore, targets: Readonly<Record<string, string>>): LiveTape {
  let tape = $state.raw(new Tape(targets));
  let version = $state(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      version += 1;
    }, BATCH_MS);
  };
  let id = $derived(store().sandbox?.id ?? "");
  $effect(() => {
    if (id) return untrack(follow);
  });

  function follow(): () => void {
    const live = store();
    const made = new Tape(targets);
    let waiting: Parameters<Tape["add"]>[0][] | null = [];
    tape = made;
    const off = live.onFrame((frame) => {
      if (waiting) waiting.push(frame);
      else made.add(frame);
      tell();
    });
    void live.itemsAt(live.now).then(() => {
      const { history } = live;
      if (history && !live.isRecorded) {
        made.add(history.start);
        for (const frame of history.frames) made.add(frame);
      } else made.add(newest(live));
      for (const frame of waiting ?? []) made.add(frame);
      waiting = null;
      tell();
    });
    return () => {
      off();
      clearTimeout(timer);
      timer = undefined;
    };
  }
  return {
    get tape() {
      return tape;
    },
    get version() {
      return version;
    },
  };
}

/** Without a history the record begins now, for this picture. */
const newest = (live: PictureStore): SnapshotFrame => ({
  f: "snapshot",
  epoch: 0,
  seq: 0,
  at: live.now,
  items: live.mine,
});

/** A recording's tape, never longer than what was played; going back begins it anew. */
export function recordedTape(targets: Readonly<Record<string, string>>) {
  let history: History | null = null;
  let tape = new Tape(targets);
  let count = 0;
  return {
    upTo(of: History, at: number): Tape {
      if (history !== of || (tape.last !== null && at < tape.last)) {
        history = of;
        tape = new Tape(targets);
        tape.add(of.start);
        count = 0;
      }
      for (; count < of.frames.length; count++) {
        const frame = of.frames[count];
        if (!frame || frame.at > at) break;
        tape.add(frame);
      }
      return tape;
    },
  };
}
