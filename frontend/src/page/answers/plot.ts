/** Where the points of a drawn curve lie, and back from a finger to a value. Pure; all in units of the drawing. */

export interface Plot {
  width: number;
  height: number;
  /** Room for the numbers at the axis, and for the labels below. */
  left: number;
  bottom: number;
  /** How many values. */
  n: number;
  /** Upper end of the axis; the lower one is 0. */
  end: number;
}

const TOP = 8;

/** Middle of the column of value `i`. */
export function xOf(plot: Plot, i: number): number {
  return plot.left + ((i + 0.5) * (plot.width - plot.left)) / Math.max(1, plot.n);
}

export function yOf(plot: Plot, value: number): number {
  return TOP + (1 - value / plot.end) * (plot.height - plot.bottom - TOP);
}

/** The column under `x`; the nearest one beside the chart. */
export function columnAt(plot: Plot, x: number): number {
  const column = Math.floor(((x - plot.left) / (plot.width - plot.left)) * plot.n);
  return Math.min(Math.max(0, column), plot.n - 1);
}

/** The value at height `y`, never outside of the axis, rounded to what a finger can mean: a fiftieth of it. */
export function valueAt(plot: Plot, y: number): number {
  const share = 1 - (y - TOP) / (plot.height - plot.bottom - TOP);
  const step = plot.end / 50;
  const value = Math.round((Math.min(1, Math.max(0, share)) * plot.end) / step) * step;
  return Number(value.toPrecision(6));
}

/** A line through the values that are there; it breaks where one is missing. */
export function pathOf(plot: Plot, values: readonly (number | null)[]): string {
  let path = "";
  let broken = true;
  for (const [i, value] of values.entries()) {
    if (value !== null) path += `${broken ? "M" : "L"}${round(xOf(plot, i))} ${round(yOf(plot, value))}`;
    broken = value === null;
  }
  return path;
}

const round = (value: number): number => Math.round(value * 10) / 10;
