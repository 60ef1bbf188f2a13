import "./styles/main.css";
import { readPageData } from "./lib/page";
import { fetchPart } from "./lib/part";
import { recall, toggleTheme } from "./lib/theme";

for (const button of document.querySelectorAll<HTMLElement>("[data-theme-toggle]")) {
  button.addEventListener("click", () => toggleTheme());
}

for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
  button.addEventListener("click", () => {
    const field = document.querySelector<HTMLInputElement>(button.dataset.copy ?? "");
    if (!field) return;
    field.select();
    // A class on plain HTTP has no clipboard of the new kind; the old command works there.
    const done = navigator.clipboard
      ? navigator.clipboard.writeText(field.value)
      : document.execCommand("copy")
        ? Promise.resolve()
        : Promise.reject(new Error("refused"));
    done.then(
      () => {
        button.textContent = "Copied";
      },
      () => {
        button.textContent = "Press Ctrl+C";
      },
    );
  });
}

// Where the reader of this browser stopped; the server does not keep it.
for (const place of document.querySelectorAll<HTMLElement>("[data-steps-of]")) {
  const { stepsOf, steps, n } = place.dataset;
  const step = Number(recall(`glasshull.step.${stepsOf}`) ?? 0);
  if (step > 0 && step < Number(steps)) place.textContent = `Lesson ${n}, step ${step + 1} of ${steps}`;
}

const page = readPageData();
if (page) void fetchPart(() => import("./page/lesson")).then(({ mountLesson }) => mountLesson(page));

const table = document.querySelector<HTMLElement>("[data-class-socket]");
if (table) void import("./page/class-table").then(({ wireClassTable }) => wireClassTable(table));
