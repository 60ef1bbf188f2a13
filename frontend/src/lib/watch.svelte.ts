import { untrack } from "svelte";

/** Calls `react` with what `read` gives, now and at every change, for as long as the page lives. */
export function watch<T>(read: () => T, react: (value: T) => void): () => void {
  return $effect.root(() => {
    $effect(() => {
      const value = read();
      untrack(() => react(value));
    });
  });
}
