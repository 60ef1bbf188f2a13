/** The terminal's socket (docs/live-protocol.md section 4): replay, acknowledgements, resize. No DOM. */
import { Feed } from "./feed";

export interface LineEvents {
  size: () => { cols: number; rows: number };
  /** Draws bytes; `done` when they are on the screen (that is what is acknowledged). */
  write: (bytes: Uint8Array, done: () => void) => void;
  /** Bytes were missed: what follows is a replay from further on. */
  reset: () => void;
  opened: () => void;
  lost: (n: number) => void;
  /** The shell was cut off; a new one is asked for (try `n`), and why the last try failed. */
  cut: (n: number, text: string) => void;
  /** The shell is gone, or the socket for good: the sentence for the person. */
  ended: (text: string) => void;
  refused: (text: string) => void;
}

interface TextFrame {
  f: "opened" | "exit" | "error";
  from?: number;
  code?: number | null;
  text?: string;
  cut?: boolean;
}

/** An acknowledgement goes out every 16 kB drawn, well inside the server's 128 kB (T2). */
const ACK_EVERY = 16 * 1024;
/** The server refuses more in one frame (T3); pasted text is cut into pieces. */
const MOST_INPUT = 32 * 1024;
/** T4: two minutes of tries, 0.5 s doubling to 5 s. */
const MOST_TRIES = 27;
const CALM_MS = 10_000;

export class TerminalLine {
  #feed: Feed;
  #events: LineEvents;
  /** Position of the next byte I expect. */
  #seen = 0;
  #drawn = 0;
  #acked = 0;
  #open = false;
  #ended = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #encoder = new TextEncoder();

  constructor(url: string, events: LineEvents) {
    this.#events = events;
    this.#feed = new Feed(url, {
      onOpen: (send) => {
        clearTimeout(this.#timer);
        send(this.#wish());
      },
      onText: (text) => this.#take(JSON.parse(text) as TextFrame),
      onBytes: (bytes) => this.#draw(bytes),
      onLost: (n) => {
        this.#open = false;
        if (!this.#ended) events.lost(n);
      },
      onFinal: (_code, text) => this.#end(text),
    });
  }

  send(text: string): void {
    this.sendBytes(this.#encoder.encode(text));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#open) return;
    for (let i = 0; i < bytes.length; i += MOST_INPUT) {
      this.#feed.send(bytes.slice(i, i + MOST_INPUT));
    }
  }

  resize(cols: number, rows: number): void {
    if (this.#open) this.#feed.send(JSON.stringify({ f: "resize", cols, rows }));
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#feed.close();
  }

  #wish(): string {
    return JSON.stringify({ f: "open", since: this.#seen, ...this.#events.size() });
  }

  #take(frame: TextFrame): void {
    if (frame.f === "opened") {
      const from = frame.from ?? 0;
      if (from !== this.#seen) {
        this.#events.reset();
        this.#seen = from;
        this.#drawn = from;
        this.#acked = from;
      }
      this.#open = true;
      // A shell that ends at once is no success: the count starts again only after some calm.
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => (this.#tries = 0), CALM_MS);
      this.#events.opened();
    } else if (frame.f === "exit" && frame.cut) {
      this.#cut(frame.text ?? "");
    } else if (frame.f === "exit") {
      this.#end(
        frame.text || `The shell ended${frame.code ? ` with code ${frame.code}` : ""}. Your files are kept.`,
      );
    } else if (frame.f === "error" && !this.#open) {
      this.#cut(frame.text ?? "");
    } else if (frame.f === "error") {
      this.#events.refused(frame.text ?? "The terminal refused this.");
    }
  }

  #cut(text: string): void {
    this.#open = false;
    this.#tries += 1;
    if (this.#tries > MOST_TRIES) {
      this.#end(text);
      return;
    }
    this.#events.cut(this.#tries, text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#feed.send(this.#wish()), Math.min(5000, 250 * 2 ** this.#tries));
  }

  #draw(bytes: Uint8Array): void {
    this.#seen += bytes.length;
    this.#events.write(bytes, () => {
      this.#drawn += bytes.length;
      if (this.#drawn - this.#acked < ACK_EVERY) return;
      this.#acked = this.#drawn;
      this.#feed.send(JSON.stringify({ f: "ack", n: this.#drawn }));
    });
  }

  #end(text: string): void {
    if (this.#ended) return;
    this.close();
    this.#open = false;
    this.#events.ended(text);
  }
}
