/** Geometry of the strip of moments. Pure. */
import type { MarkerItem } from "./protocol";

/** What one screen of the strip shows of a long record, seconds. */
const MOST = 180;

/** The window of time drawn: all of a short record, else the last three minutes, or those round the playhead. */
export function windowOf([first, last]: readonly [number, number], head: number | null): [number, number] {
  if (last - first <= MOST) return [first, Math.max(last, first + 1)];
  const around = head ?? last;
  const to = Math.min(last, Math.max(around + MOST * 0.3, first + MOST));
  return [to - MOST, to];
}

export interface LaidMarker {
  marker: MarkerItem;
  left: number;
  /** The words beside the mark, where there is room for them. */
  label: string;
}

/** What is said aloud on the strip; verdicts and plain events have their words in the tip. */
const SPOKEN: ReadonlySet<string> = new Set(["fault", "prediction", "you", "submit", "reset"]);
const LETTER = 6.4; // px of the 13.2 px condensed face, measured wide

/** Places the marks; a label is dropped where the next mark or the end would stand on it. */
export function layMarkers(
  markers: readonly MarkerItem[],
  x: (at: number) => number,
  width: number,
): LaidMarker[] {
  return markers.map((marker, i) => {
    const left = x(marker.at);
    const next = markers
      .slice(i + 1)
      .find((one) => SPOKEN.has(one.kind) || one.kind === "verdict" || one.kind === "hint");
    const room = (next ? Math.min(x(next.at), width) : width) - left - 30;
    const fits = SPOKEN.has(marker.kind) && marker.text.length * LETTER <= room;
    return { marker, left, label: fits ? marker.text : "" };
  });
}
