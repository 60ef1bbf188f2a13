import { describe, expect, it } from "vitest";
import css from "../styles/tokens.css?raw";

type Tokens = Record<string, string>;

function tokensOf(selector: string): Tokens {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("\n}", start));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9A-Fa-f]{6})/g)].map(([, name, value]) => [name, value]),
  );
}

/** WCAG 2 relative luminance of `#RRGGBB`. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((i) => Number.parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 1, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ["paper", "panel", "hold", "sky", "sea", "buff"];
const TEXT = ["ink", "ink2", "ink3", "k8s-ink", "ready", "busy", "fault", "predict"];
const GRAPHICS = ["edge", "hull", "oxide", "k8s"];
const TINTS = [
  ["ready", "ready-tint"],
  ["busy", "busy-tint"],
  ["fault", "fault-tint"],
  ["predict", "predict-tint"],
  ["k8s-ink", "k8s-tint"],
  ["on-primary", "primary"],
  ["on-state", "ready"],
  ["term-text", "term"],
  ["term-dim", "term"],
] as const;

describe.each([
  ["day", ":root"],
  ["night", "[data-theme=dark]"],
  ["projector", "[data-theme=projector]"],
])("%s chart", (_name, selector) => {
  const tokens = tokensOf(selector);
  const pair = (a: string, b: string): number => contrast(tokens[a] ?? "", tokens[b] ?? "");
  it.each(TEXT.flatMap((text) => SURFACES.map((surface) => [text, surface])))(
    "text --%s on --%s is at least 4.5",
    (text, surface) => {
      expect(pair(text, surface)).toBeGreaterThanOrEqual(4.5);
    },
  );
  it.each(GRAPHICS.flatMap((line) => SURFACES.map((surface) => [line, surface])))(
    "line --%s on --%s is at least 3",
    (line, surface) => {
      expect(pair(line, surface)).toBeGreaterThanOrEqual(3);
    },
  );
  it.each(TINTS)("--%s on --%s is at least 4.5", (text, tint) => {
    expect(pair(text, tint)).toBeGreaterThanOrEqual(4.5);
  });
});

it("has no colour outside the tokens in the picture's own styles", async () => {
  const own = (await import("./picture.css?raw")).default as string;
  expect(own.match(/#[0-9a-fA-F]{3,8}\b(?!-)/g) ?? []).toEqual([]);
});
