import "./styles/main.css";
import { readPageData } from "./lib/page";

const page = readPageData();
if (page) void import("./page/lesson").then(({ mountLesson }) => mountLesson(page));
