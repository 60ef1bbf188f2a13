/** A WebSocket that comes back by itself (L9). Knows nothing of what it carries. */
import { backOff, FINAL_CLOSES } from "./protocol";

export interface FeedHandlers {
  /** The socket is open; send the first frame here. */
  onOpen: (send: (data: string | ArrayBuffer | Uint8Array<ArrayBuffer>) => void) => void;
  onText?: (text: string) => void;
  onBytes?: (bytes: Uint8Array) => void;
  /** The socket closed and will be tried again: `n` is the number of the next try. */
  onLost?: (n: number) => void;
  /** The socket closed for good, with the sentence for the person. */
  onFinal?: (code: number, text: string) => void;
}

export class Feed {
  #url: string;
  #handlers: FeedHandlers;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #ended = false;
  readonly #wake = (): void => this.#wakeUp();

  constructor(url: string, handlers: FeedHandlers) {
    this.#url = url;
    this.#handlers = handlers;
    // A laptop that wakes up should not sit out the rest of a back-off.
    globalThis.addEventListener?.("online", this.#wake);
    this.#connect();
  }

  send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#wake);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #wakeUp(): void {
    if (this.#ended || this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#handlers.onOpen((data) => socket.send(data));
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      // Only a frame proves that the server is really back: an accepted and dropped socket is not.
      this.#tries = 0;
      if (typeof event.data === "string") this.#handlers.onText?.(event.data);
      else this.#handlers.onBytes?.(new Uint8Array(event.data));
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket || this.#ended) return;
      this.#socket = null;
      const final = FINAL_CLOSES.get(event.code);
      if (final !== undefined) {
        this.#ended = true;
        this.#handlers.onFinal?.(event.code, event.reason || final);
        return;
      }
      this.#tries += 1;
      this.#handlers.onLost?.(this.#tries);
      this.#timer = setTimeout(() => this.#connect(), backOff(this.#tries) * 1000);
    };
  }
}
