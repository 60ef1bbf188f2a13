import { describe, expect, it } from "vitest";
import sprite from "./Sprite.svelte?raw";
import { ICONS, isBeingLowered, stateOf } from "./states";
import { aPod } from "./testing";

describe("Pod states: outline, icon, word, colour", () => {
  it.each([
    ["Pending", { node: "" }, "pending", "hourglass"],
    ["Pending", { node: "", message: "0/3 nodes are available: 3 Insufficient memory." }, "pending", "ban"],
    ["ContainerCreating", {}, "creating", "download"],
    ["PodInitializing", {}, "creating", "download"],
    ["Init:1/2", {}, "init", "list-start"],
    ["Init:CrashLoopBackOff", {}, "crash", "rotate-ccw"],
    ["Running", { ok: false }, "not-ready", "minus"],
    ["Running", { ok: true }, "is-ready", "check"],
    ["Terminating", { deleting: 5 }, "terminating", "log-out"],
    ["Completed", {}, "completed", "circle-check-big"],
    ["Error", {}, "error", "x"],
    ["CrashLoopBackOff", {}, "crash", "rotate-ccw"],
    ["OOMKilled", {}, "oom", "memory-stick"],
    ["ImagePullBackOff", {}, "no-image", "image-off"],
    ["ErrImagePull", {}, "no-image", "image-off"],
    ["Evicted", {}, "evicted", "door-open"],
    ["Unknown", {}, "unknown", "circle-help"],
    ["StartError", {}, "unlisted", "circle-help"],
  ])("%s %o", (status, more, look, icon) => {
    const state = stateOf(aPod("a", { ok: false, status, ...more }));
    expect([state.look, state.icon]).toEqual([look, icon]);
  });
  it("a Pod that is being deleted looks so, whatever it did before", () => {
    expect(stateOf(aPod("a", { status: "Terminating", ok: true, deleting: 9 })).look).toBe("terminating");
  });
  it("every icon is in the sprite", () => {
    for (const icon of ICONS) expect(sprite).toContain(`id="gh-i-${icon}"`);
  });
});

describe("the crane", () => {
  it("holds a bound Pod until a container starts", () => {
    expect(isBeingLowered(aPod("a", { status: "ContainerCreating", ok: false }))).toBe(true);
    expect(isBeingLowered(aPod("a", { status: "Pending", ok: false }))).toBe(true);
    expect(isBeingLowered(aPod("a", { status: "Running", ok: false }))).toBe(false);
    expect(isBeingLowered(aPod("a", { status: "Pending", node: "", ok: false }))).toBe(false);
    expect(isBeingLowered(aPod("a", { status: "Pending", deleting: 3 }))).toBe(false);
  });
});
