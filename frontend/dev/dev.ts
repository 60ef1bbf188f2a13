/**
 * The lesson page without a server: the data, a socket and the answers below stand in for it, so that the
 * page can be looked at in every state. `?state=` empty, building, loading, live, broken, asked, marked, stale, late, readonly.
 */
import { outcomeOf } from "./asked";
import { historyOf, itemsOf, pageOf } from "./fixtures";

const state = new URLSearchParams(location.search).get("state") ?? "broken";
const data = pageOf(state);
const script = document.createElement("script");
script.type = "application/json";
script.id = "lesson-data";
script.textContent = JSON.stringify(data);
document.body.append(script);

class StandInSocket {
  static readonly OPEN = 1;
  readyState = 1;
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly url: string) {
    setTimeout(() => this.#begin(), 30);
  }
  #begin(): void {
    this.onopen?.();
    if (this.url.includes("/ws/sandbox/")) this.#sandbox();
    else if (this.url.includes("/ws/terminal/")) this.#terminal();
  }
  #say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  #sandbox(): void {
    const at = Date.now() / 1000;
    tell = (set) => this.#say({ f: "delta", epoch: 3, seq: ++seq, at: Date.now() / 1000, set });
    this.#say({ f: "snapshot", epoch: 3, seq: 60, at, items: itemsOf(state, at) });
    const beat = () =>
      this.#say({ f: "beat", behind: state === "late" ? 4 : 0.2, at: Date.now() / 1000, stale_since: null });
    beat();
    if (state !== "stale") setInterval(beat, 2000);
  }
  #terminal(): void {
    this.#say({ f: "opened", from: 0 });
    const text =
      "\x1b[32m$\x1b[0m kubectl get pods -w\r\nNAME                          READY   STATUS              RESTARTS   AGE\r\nstorefront-7c9d8f6b5d-x2k9p   1/1     Running             0          2m4s\r\nstorefront-7c9d8f6b5d-4tq7m   1/1     Running             0          2m4s\r\nstorefront-7c9d8f6b5d-m8zq5   1/1     Running             0          2m3s\r\nstorefront-7c9d8f6b5d-4tq7m   1/1     \x1b[33mTerminating\x1b[0m         0          2m14s\r\nstorefront-7c9d8f6b5d-h6wvd   0/1     \x1b[33mPending\x1b[0m             0          0s\r\nstorefront-7c9d8f6b5d-h6wvd   0/1     \x1b[34mContainerCreating\x1b[0m   0          1s\r\n";
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer });
  }
  send(data: string | Uint8Array): void {
    // A stand-in shell: what is typed comes back.
    if (typeof data !== "string")
      this.onmessage?.({
        data: new TextEncoder().encode(new TextDecoder().decode(data).replace(/\r/g, "\r\n$ ")).buffer,
      });
  }
  close(): void {
    this.readyState = 3;
  }
}
window.WebSocket = StandInSocket as unknown as typeof WebSocket;

/** Sends a delta to the page, as the server does after an action. */
let tell: (set: Record<string, unknown>) => void = () => {};
let seq = 60;

/** What the page sent, for tests: action and body. */
const posted: [action: string, body: unknown][] = [];
Object.assign(window, { posted });

const realFetch = window.fetch.bind(window);
window.fetch = async (input, init) => {
  const url = String(input);
  if (!url.startsWith("/api/")) return realFetch(input, init);
  const answer = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
  if (url.includes("history") || url.includes("recordings")) return answer(historyOf(Date.now() / 1000));
  if (url.endsWith("/apply"))
    return answer(
      { error: { code: "invalid", text: "`replicas` wants a number, found `three`.", line: 5, column: 13 } },
      422,
    );
  if (init?.method === "POST")
    posted.push([url.split("/").filter(Boolean).at(-1) ?? "", JSON.parse(String(init.body))]);
  const asked = /\/(predict|answer)$/.exec(url)?.[1];
  if (asked) {
    const { id, value } = JSON.parse(String(init?.body)) as { id: string; value: unknown };
    const key = `${asked === "predict" ? "prediction" : "answer"}/${id}`;
    setTimeout(() => tell({ [key]: { ...outcomeOf(key, value, Date.now() / 1000), observed: null } }), 200);
    setTimeout(() => tell({ [key]: outcomeOf(key, value, Date.now() / 1000) }), 2500);
  }
  return answer({
    ok: true,
    sandbox: { id: "s1", phase: "requested", readOnly: false, namespace: "gh-7f3a9c" },
  });
};

// The page reads its data when it wakes.
void import("../src/main");
