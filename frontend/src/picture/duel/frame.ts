/** Where the plot lies inside a chart, px: the marks over the charts stand on the same places. */
export const AXIS = 38;
export const RIGHT = 14;
/** Height of the row of seconds under the last chart, of the row of marks above the first. */
export const FOOT = 24;
export const LANE = 24;
/** Width of the rows' names. */
export const NAMES = 74;
