/** What the lesson points at in the picture: targets become keys of items. Directions dim, they never remove. Pure. */
import { type PodItem, podKey, type ServiceItem, type World } from "./world";

export interface Directions {
  /** Which scene is drawn; the ship of the cluster unless it is one of `scenes.ts`. */
  scene: string;
  focus: string | null;
  highlight: string[];
  annotate: { target: string; text: string }[];
  say: string | null;
}

const words = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? value.split(/,\s*/).filter(Boolean) : [];
};

/** From the options of a scene as the page hands them on (`focus`, `highlight`, `annotate`, `say`). */
export function directionsOf(scene: Record<string, unknown>): Directions {
  return {
    scene: String((scene.layout === "control-plane" && scene.layout) || scene.scene || ""),
    focus: typeof scene.focus === "string" && scene.focus ? scene.focus : null,
    highlight: words(scene.highlight),
    annotate: (Array.isArray(scene.annotate) ? scene.annotate.map(String) : []).map((line) => {
      // "target: sentence"; a target such as pod:app=shop has a colon without a space behind it.
      const at = line.indexOf(": ");
      return { target: at < 0 ? line : line.slice(0, at), text: at < 0 ? "" : line.slice(at + 2) };
    }),
    say: typeof scene.say === "string" && scene.say ? scene.say : null,
  };
}

/** Keys of the items a target means: `pod:app=shop`, `pod/NAME`, `node:*`, `node:empty`, `service/NAME`, `component/NAME`, `side/monolith`. */
export function keysOf(target: string, world: World): string[] {
  const [, kind = "", sign = "", name = ""] = /^(\w+)([:/])(.*)$/.exec(target) ?? [];
  switch (kind) {
    case "pod":
      return world.pods
        .filter(([key, pod]) =>
          sign === "/" ? pod.name === name || key === podKey(name) : matchesLabel(name, pod.app),
        )
        .map(([key]) => key);
    case "node":
      return world.nodes
        .filter(
          ([, node]) =>
            name === "*" || node.name === name || (name === "empty" && isEmptyNode(world, node.name)),
        )
        .map(([key]) => key);
    case "service":
      return world.services.filter(([, item]) => name === "*" || item.name === name).map(([key]) => key);
    case "side":
      return [...world.pods, ...world.services]
        .filter(([, item]) => (appOf(item) === "monolith") === (name === "monolith"))
        .map(([key]) => key);
    case "component":
      return [`component/${name}`];
    default:
      return world.workloads
        .filter(([, item]) => item.kind.toLowerCase() === kind && item.name === name)
        .map(([key]) => key);
  }
}

const appOf = (item: PodItem | ServiceItem): string =>
  item.t === "pod" ? item.app : (item.selector.app ?? item.name);

// Of a Pod's labels the picture knows one: app.
const matchesLabel = (selector: string, app: string): boolean =>
  selector === "*" || selector === `app=${app}`;
/** What stands out with a target: a node's Pods with the node, a Pod's node with the Pod. */
export function withContext(keys: readonly string[], world: World): string[] {
  const named = (key: string): string | undefined => world.nodes.find(([one]) => one === key)?.[1].name;
  return keys.flatMap((key) => {
    const node = named(key);
    if (node) return [key, ...world.pods.filter(([, pod]) => pod.node === node).map(([pod]) => pod)];
    const pod = world.pods.find(([one]) => one === key)?.[1];
    return pod?.node ? [key, `node/${pod.node}`] : [key];
  });
}

const isEmptyNode = (world: World, name: string): boolean => world.pods.every(([, pod]) => pod.node !== name);

export interface Note {
  target: string;
  text: string;
}

/** The sentences to show; a target that matches nothing says so instead of leaving an empty place. */
export function notesOf(directions: Directions, world: World): Note[] {
  return directions.annotate.map(({ target, text }) => {
    const there = keysOf(target, world).length > 0;
    const name = target.replace(/^\w+[:/]/, "");
    return { target: name, text: there ? text : "not there yet" };
  });
}
