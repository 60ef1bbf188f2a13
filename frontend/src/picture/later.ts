/** What the first look does not need: fetched when nothing else is to do. */
export { default as Card } from "./Card.svelte";
export { Announcer, changesBetween } from "./changes";
export { default as Find } from "./Find.svelte";
export { default as Traffic } from "./Traffic.svelte";
export { default as Twin } from "./Twin.svelte";
export { twinOf } from "./twin";
