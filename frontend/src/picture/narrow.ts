/** What only narrow pictures need; loaded when the first one is drawn. */
export { drawDecks } from "./decks";
export { default as Midship } from "./Midship.svelte";
