/** What no first view needs: islands of the text, and what the page adds to the picture. Loaded after it. */
import { mount } from "svelte";
import type { Desk } from "../lib/desk.svelte";
import AnswerCard from "./AnswerCard.svelte";
import BreakButton from "./BreakButton.svelte";
import ChecksIsland from "./ChecksIsland.svelte";
import Compare from "./Compare.svelte";
import EditLink from "./EditLink.svelte";
import FaultButton from "./FaultButton.svelte";
import FilmWaits from "./FilmWaits.svelte";
import type { Maker } from "./lesson";

export const LATER: Record<string, Maker> = {
  edit: (desk, { dataset }) => [EditLink, { desk, file: dataset.file ?? "", path: dataset.path ?? null }],
  predict: (desk, { dataset }) => [AnswerCard, { desk, id: dataset.id ?? "", of: "prediction" }],
  question: (desk, { dataset }) => [AnswerCard, { desk, id: dataset.id ?? "", of: "answer" }],
  fault: (desk, { dataset }) => [FaultButton, { desk, id: dataset.id ?? "" }],
  checks: (desk, { dataset }) => [ChecksIsland, { desk, ids: dataset.ids ?? "all" }],
  compare: (desk, { dataset }) =>
    dataset.from && dataset.to
      ? [Compare, { desk, from: dataset.from, to: dataset.to, of: dataset.of ?? "" }]
      : null,
};

/** Adds to the picture the menu "Break something", and what a recording that waits for an answer says. */
export function furnish(desk: Desk): void {
  const picture = document.getElementById("picture");
  if (!picture || !desk.page.exercise) return;
  if (desk.page.exercise.menu?.length) mount(BreakButton, { target: picture, props: { desk } });
  if (desk.page.exercise.predictions.length > 0) mount(FilmWaits, { target: picture, props: { desk } });
}
