// The preview's bench: one stream tells what changed; the changed part is asked for again.
const at = (id) => document.getElementById(id);
const frame = at("page");
const stage = document.querySelector(".frame");
let file = "";
let variant = 0;
let width = 1440;
let saved = Date.now();

async function part(name, query = "") {
  const answer = await fetch(`/part/${name}?variant=${variant}${query}`);
  return answer.ok ? answer.text() : "";
}

async function showSource() {
  const source = at("source");
  const before = source.querySelector(".source")?.scrollTop ?? 0;
  const asked = file;
  source.innerHTML = await part("source", `&file=${encodeURIComponent(file)}`);
  const text = source.querySelector(".source");
  const first = text?.querySelector("li.bad, li.warn");
  if (asked && text) text.scrollTop = before;
  else first?.scrollIntoView({ block: "center" });
}

async function showFacts() {
  const [proof, facts] = await Promise.all([part("proof"), part("facts")]);
  at("proof").innerHTML = proof;
  const said = facts ? JSON.parse(facts) : { picture: "", variants: [] };
  at("picture").textContent = said.picture;
  const options = said.variants.map((text, n) => new Option(text, n, false, n === variant));
  at("variant").replaceChildren(...options);
}

function showPage() {
  // The step that is being read stays: the page keeps it in its address.
  let step = "";
  try { step = frame.contentWindow.location.hash } catch {}
  frame.src = `/page?variant=${variant}&n=${Date.now()}${step}`;
}

function fit() {
  const scale = Math.min(1, stage.clientWidth / width);
  frame.style.width = `${width}px`;
  frame.style.height = `${Math.min(stage.clientHeight / scale, width < 600 ? 844 : Infinity)}px`;
  frame.style.margin = scale < 1 ? "0" : "0 auto";
  frame.style.transform = `scale(${scale})`;
}

at("source").addEventListener("click", (event) => {
  const tab = event.target.closest("[data-file]");
  if (!tab) return;
  event.preventDefault();
  file = tab.dataset.file;
  void showSource();
});
at("variant").addEventListener("change", (event) => { variant = Number(event.target.value); showPage() });
for (const button of document.querySelectorAll("[data-width]")) {
  button.addEventListener("click", () => {
    width = Number(button.dataset.width);
    for (const each of document.querySelectorAll("[data-width]")) each.setAttribute("aria-pressed", String(each === button));
    fit();
  });
}
at("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("glasshull.theme", root.dataset.theme) } catch {}
  showPage();
});
addEventListener("resize", fit);
setInterval(() => {
  const seconds = Math.round((Date.now() - saved) / 1000);
  at("saved").textContent = seconds < 90 ? `saved ${seconds} s ago` : `saved ${Math.round(seconds / 60)} min ago`;
}, 1000);

const stream = new EventSource("/events");
stream.addEventListener("page", (event) => { saved = Number(event.data) * 1000; showPage(); void showSource() });
stream.addEventListener("findings", () => { void showSource(); void showFacts() });
stream.addEventListener("error", () => { at("saved").textContent = "The preview has stopped. Start it again." });
fit();
showPage();
void showSource();
void showFacts();
