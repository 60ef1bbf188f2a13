/** Parts of the page that come later: a server that is away for a moment must not cost the reader the part. */
const MOST_TRIES = 40;
const LONGEST_MS = 5000;

/**
 * Runs `load` (an `import()`) until it succeeds, waiting a little longer each time. Raises the last error after
 * `MOST_TRIES`, about three minutes: by then the page itself says that it has no news.
 */
export async function fetchPart<T>(load: () => Promise<T>, first = 500): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await load();
    } catch (error) {
      if (tried >= MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_MS, first * tried)));
      addStyle(String(error));
    }
  }
}

/** The bundler asks for a part's style sheet once only: one that did not come is asked for again here. */
function addStyle(error: string): void {
  const href = /preload CSS for (\S+)/.exec(error)?.[1];
  if (!href) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}
