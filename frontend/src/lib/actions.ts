/** Everything a person does is an HTTP request (docs/live-protocol.md section 5). */

export interface Answer {
  ok: true;
  [field: string]: unknown;
}

/** The server (or the network) said no. `message` is the sentence for the person. */
export class ActionRefused extends Error {
  readonly code: string;
  readonly status: number;
  readonly line: number | null;
  readonly column: number | null;

  constructor(
    code: string,
    text: string,
    status: number,
    line: number | null = null,
    column: number | null = null,
  ) {
    super(text);
    this.name = "ActionRefused";
    this.code = code;
    this.status = status;
    this.line = line;
    this.column = column;
  }
}

const NO_ANSWER = "The server did not answer. Nothing was changed; try again in a moment.";

/** POSTs `body` as JSON. Throws `ActionRefused`; returns the server's answer otherwise. */
export async function post(url: string, body: unknown, csrf: string): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify(body ?? {}),
    });
  } catch {
    throw new ActionRefused("no-answer", NO_ANSWER, 0);
  }
  return readAnswer(response);
}

/** GETs JSON. Throws `ActionRefused`. */
export async function get<T>(url: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  } catch {
    throw new ActionRefused("no-answer", NO_ANSWER, 0);
  }
  return (await readAnswer(response)) as unknown as T;
}

async function readAnswer(response: Response): Promise<Answer> {
  const answer = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  if (response.ok && answer) return answer as Answer;
  throw refusalFrom(response.status, answer);
}

/** The refusal an error answer means; a sentence of our own where the server gave none. */
export function refusalFrom(status: number, answer: Record<string, unknown> | null): ActionRefused {
  const error = (answer?.error ?? {}) as Partial<{
    code: string;
    text: string;
    line: number;
    column: number;
  }>;
  const text = error.text ?? plainReason(status);
  return new ActionRefused(
    error.code ?? String(status),
    text,
    status,
    error.line ?? null,
    error.column ?? null,
  );
}

function plainReason(status: number): string {
  if (status === 401) return "You are signed out. Sign in again, then repeat this.";
  if (status === 403) return "The server refused this. Reload the page, then try again.";
  if (status === 404) return "This is not there any more. Reload the page.";
  if (status === 429) return "That was too often. Wait a few seconds, then try again.";
  return `The server could not do this (error ${status}). Try again in a moment.`;
}
