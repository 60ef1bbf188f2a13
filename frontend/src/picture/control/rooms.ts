/** The bridge opened like a doll's house: every room, and the wires that meet in the API server. Pure. */
import { fix1 } from "../world";
import type { Place } from "./hops";

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface Hold extends Box {
  node: string;
  /** The kubelet's plate and the place of the Pod that is followed. */
  kubelet: Box;
  pod: Box;
}
export interface Rooms {
  W: number;
  H: number;
  you: Box;
  api: Box;
  etcd: Box;
  controllers: Box;
  scheduler: Box;
  service: Box;
  holds: Hold[];
  more: number;
}

const LEAST = { w: 340, h: 372 } as const;
const MOST_HOLDS = 6;

/** Everything in `width` x `height` px; smaller ones get the least size and scroll. */
export function roomsOf(width: number, height: number, nodes: readonly string[]): Rooms {
  const W = Math.max(LEAST.w, width);
  const H = Math.max(LEAST.h, height);
  const m = W < 560 ? 10 : 24;
  const gap = W < 560 ? 12 : 26;
  const inner = W - 2 * m;
  const top = H >= 440 ? 22 : 14;
  const row = Math.min(96, Math.max(74, Math.round(H * 0.19)));
  const air = Math.round((H - top - 3 * row - 58) / 2);
  const youW = Math.round(inner * 0.22);
  const etcdW = Math.round(inner * 0.2);
  const apiW = inner - youW - etcdW - 2 * gap;
  const y2 = top + row + air;
  const y3 = y2 + row + air;
  const controllersW = Math.round((inner - 2 * gap) * 0.46);
  const schedulerW = Math.round((inner - 2 * gap) * 0.28);
  const shown = nodes.slice(0, MOST_HOLDS);
  const w = (inner - (Math.max(1, shown.length) - 1) * 4) / Math.max(1, shown.length);
  const h = H - y3 - 14;
  return {
    W,
    H,
    you: { x: m, y: top + 10, w: youW, h: row - 20 },
    api: { x: m + youW + gap, y: top, w: apiW, h: row },
    etcd: { x: m + youW + apiW + 2 * gap, y: top, w: etcdW, h: row },
    controllers: { x: m, y: y2, w: controllersW, h: row },
    scheduler: { x: m + controllersW + gap, y: y2, w: schedulerW, h: row },
    service: {
      x: m + controllersW + schedulerW + 2 * gap,
      y: y2 + 8,
      w: inner - controllersW - schedulerW - 2 * gap,
      h: row - 16,
    },
    holds: shown.map((node, i) => {
      const x = fix1(m + i * (w + 4));
      const plate = Math.min(74, w - 16);
      return {
        node,
        x,
        y: y3,
        w: fix1(w),
        h,
        kubelet: { x: fix1(x + 8), y: y3 + 12, w: plate, h: 24 },
        pod: { x: fix1(x + 8), y: y3 + 44, w: fix1(Math.min(150, w - 16)), h: Math.max(46, h - 74) },
      };
    }),
    more: nodes.length - shown.length,
  };
}

/** The box of a place; a node that is not drawn stands for itself in the first hold. */
export function boxOf(rooms: Rooms, place: Place): Box | null {
  const [kind, node] = place.split("/");
  switch (kind) {
    case "you":
      return rooms.you;
    case "api-server":
      return rooms.api;
    case "etcd":
      return rooms.etcd;
    case "controller-manager":
      return rooms.controllers;
    case "scheduler":
      return rooms.scheduler;
    case "service":
      return rooms.service;
    default: {
      const hold = rooms.holds.find((one) => one.node === node) ?? rooms.holds[0];
      return hold ? (kind === "kubelet" ? hold.kubelet : hold.pod) : null;
    }
  }
}

/** The wire over which a place learns and tells: to the API server from everywhere, within a node from its kubelet. */
export function wireOf(rooms: Rooms, place: Place): string {
  const box = boxOf(rooms, place);
  const { api } = rooms;
  if (!box || place === "api-server") return "";
  const middle = fix1(box.x + box.w / 2);
  if (place === "you") return `M${box.x + box.w} ${api.y + api.h / 2}H${api.x}`;
  if (place === "etcd") return `M${api.x + api.w} ${api.y + api.h / 2}H${box.x}`;
  if (place.startsWith("pod/")) {
    const hold = rooms.holds.find((one) => one.pod === box);
    return hold ? `M${fix1(hold.kubelet.x + 20)} ${hold.kubelet.y + hold.kubelet.h}V${box.y}` : "";
  }
  const x = laneOf(rooms, place);
  // Across below the rooms it goes past, above those it ends in.
  const above = place.startsWith("kubelet/") ? rooms.controllers : api;
  const below = place.startsWith("kubelet/") ? (rooms.holds[0]?.y ?? rooms.H) : rooms.controllers.y;
  const turn = fix1((above.y + above.h + below) / 2);
  return `M${x} ${api.y + api.h}V${turn}H${middle}V${box.y}`;
}

/** Where on the API server's floor a place's wire begins: one lane each, left to right, those of the holds between the rooms. */
function laneOf(rooms: Rooms, place: Place): number {
  const { api, controllers, scheduler, holds } = rooms;
  if (place === "controller-manager") return fix1(api.x + 14);
  if (place === "scheduler") return fix1(Math.min(api.x + api.w - 30, scheduler.x + scheduler.w / 2));
  if (place === "service") return fix1(api.x + api.w - 14);
  const i = Math.max(
    0,
    holds.findIndex((hold) => `kubelet/${hold.node}` === place),
  );
  // Between controllers and scheduler there is a shaft: the kubelets' wires go down it side by side.
  const shaft = (controllers.x + controllers.w + scheduler.x) / 2;
  return fix1(shaft + 4 * (i - (holds.length - 1) / 2));
}

/**
 * Where numeral `i` of those at one place stands: along a room's upper edge, from its right end to the left; for a
 * kubelet along its hold's; at a Pod, whose name is up there, beside it or under it.
 */
export function numeralAt(rooms: Rooms, box: Box, i: number): { x: number; y: number } {
  // A kubelet's plate is as narrow as its word: the hold's edge above it is free.
  const floor = rooms.holds.find((one) => one.kubelet === box);
  if (floor) return { x: fix1(box.x + box.w - 6 - 25 * i), y: floor.y - 1 };
  const hold = rooms.holds.find((one) => one.pod === box);
  if (hold && hold.w - box.w >= 60) return { x: fix1(box.x + box.w + 18 + 25 * i), y: box.y + 14 };
  if (hold) return { x: fix1(box.x + box.w - 8 - 25 * i), y: box.y + box.h + 3 };
  const fits = Math.max(1, Math.floor((box.w - 8) / 25));
  return { x: fix1(box.x + box.w - 6 - 25 * (i % fits)), y: box.y - 2 + 24 * Math.floor(i / fits) };
}
