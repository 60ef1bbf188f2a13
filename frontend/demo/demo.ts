/**
 * The picture alone, fed with made-up frames: `?scene=` states, kill, mock, empty, stale, loading, error, past,
 * flood, crowd, services, bare, pending, duel, duel-fault, duel-film, hops; `?theme=dark`; `?w=` and `?h=` for a fixed size.
 */
import { mount } from "svelte";
import "../src/styles/main.css";
import "./demo.css";
import Demo from "./Demo.svelte";

const query = new URLSearchParams(location.search);
document.documentElement.dataset.theme = query.get("theme") ?? "light";
mount(Demo, { target: document.getElementById("demo") as HTMLElement, props: { query } });
