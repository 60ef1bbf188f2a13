/** The words on a fault's button (lesson-format 4.7). Pure. */

const LABELS: Record<string, [first: string, again: string]> = {
  "kill-pod": ["Delete one Pod", "Delete another Pod"],
  "kill-container": ["Kill a container", "Kill a container again"],
  "fail-readiness": ["Fail readiness", "Fail readiness again"],
  "slow-app": ["Slow it down", "Slow it down again"],
  "slow-app/hang": ["Make it hang", "Make it hang again"],
  "slow-app/spin": ["Burn its CPU", "Burn its CPU again"],
  "cut-traffic": ["Cut the traffic", "Cut the traffic again"],
  "break-dns": ["Break DNS", "Break DNS again"],
  "corrupt-config": ["Corrupt a value", "Corrupt it again"],
  "move-tag": ["Move the image tag", "Move it again"],
  "cordon-node": ["Cordon the node", "Cordon it again"],
  "drain-node": ["Drain the node", "Drain it again"],
  "stop-node": ["Stop the node", "Stop it again"],
  "kill-component": ["Stop the component", "Stop it again"],
};

/** `again` once it ran in this try. A kind without words of its own is named as the lesson names it. */
export function faultLabel(kind: string, how: string | null, again: boolean): string {
  const label = LABELS[`${kind}/${how}`] ?? LABELS[kind];
  if (!label) return again ? "Do it again" : `Start: ${kind}`;
  return label[again ? 1 : 0];
}
