import { Live } from "../lib/live.svelte";
import type { PageData } from "../lib/page";

/** Wakes the lesson page: the store, then every island. */
export function mountLesson(page: PageData): Live {
  const live = new Live(page);
  live.start();
  return live;
}
