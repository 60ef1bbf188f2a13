/** How far the cluster is: pushed on `/ws/cluster/`, first known from the page. */
import { Feed } from "./feed";
import { type ClusterState, socketUrl } from "./page";

export class Cluster {
  state = $state.raw<ClusterState>({
    state: "absent",
    text: "",
    done: 0,
    total: 0,
    seconds_left: null,
    reason: null,
    remedy: null,
  });
  #feed: Feed | null = null;

  constructor(first: ClusterState | null) {
    if (first) this.state = first;
  }

  get ready(): boolean {
    return this.state.state === "ready";
  }

  /** Listens for as long as the page is open: the cluster may also go away again. */
  start(url: string): void {
    this.#feed = new Feed(socketUrl(url), {
      onOpen: () => {},
      onText: (text) => {
        const frame = JSON.parse(text) as { f: string } & ClusterState;
        if (frame.f === "cluster") this.state = frame;
      },
    });
  }

  stop(): void {
    this.#feed?.close();
  }
}

/** "412 of 1,190 packages, about 6 min left". */
export function progressWords(cluster: ClusterState): string {
  const parts: string[] = [];
  if (cluster.total > 0) {
    parts.push(`${cluster.done.toLocaleString("en")} of ${cluster.total.toLocaleString("en")} packages`);
  }
  const left = cluster.seconds_left;
  if (left !== null && left !== undefined && left > 0) {
    parts.push(
      left < 90
        ? `about ${Math.max(5, Math.round(left / 5) * 5)} s left`
        : `about ${Math.round(left / 60)} min left`,
    );
  }
  return parts.join(", ");
}
