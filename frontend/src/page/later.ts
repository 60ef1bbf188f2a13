/** Islands that no first view needs: they are loaded after it. */
import Compare from "./Compare.svelte";
import EditLink from "./EditLink.svelte";
import FaultButton from "./FaultButton.svelte";
import type { Maker } from "./lesson";
import Predict from "./Predict.svelte";

export const LATER: Record<string, Maker> = {
  edit: (desk, { dataset }) => [EditLink, { desk, file: dataset.file ?? "", path: dataset.path ?? null }],
  predict: (desk, { dataset }) => [Predict, { desk, id: dataset.id ?? "" }],
  fault: (desk, { dataset }) => [FaultButton, { desk, id: dataset.id ?? "" }],
  compare: (desk, { dataset }) =>
    dataset.from && dataset.to
      ? [Compare, { desk, from: dataset.from, to: dataset.to, of: dataset.of ?? "" }]
      : null,
};
