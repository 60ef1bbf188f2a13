/** Scenes that take the ship's place, by the name the lesson gives; each is fetched when the first one is asked for. */
import type { Component } from "svelte";
import type { SceneProps } from "./board.svelte";

export interface SceneModule {
  default: Component<SceneProps>;
}

export const SCENES: Record<string, () => Promise<SceneModule>> = {
  duel: () => import("./duel/Duel.svelte"),
  "control-plane": () => import("./control/ControlPlane.svelte"),
};
