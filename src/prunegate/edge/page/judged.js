// What is judged: the scorer of the page, given one row after the other by the command that serves it.
// The command hears at once when this page dies: the request for "alive" ends.
import { Scorer, described } from "./scorer.js";

const told = (place, answer) => fetch(place, { method: "POST", body: JSON.stringify(answer) });
const words = (error) => String(error && error.message ? error.message : error).slice(0, 500);

async function row(scorer, given) {
  const kind = given.headers.get("X-Kind");
  if (kind === "picture") return scorer.score(await given.blob());
  if (kind === "text") return scorer.score(await given.text());
  const data = new Float32Array(await given.arrayBuffer());
  const found = await scorer.ofPicture(data, Number(given.headers.get("X-Height")), Number(given.headers.get("X-Width")));
  return { ...found, prepare_ms: 0 };
}

async function work() {
  const began = performance.now();
  const scorer = await Scorer.open(await described());
  await told("ready", { agent: navigator.userAgent, load_ms: performance.now() - began });
  for (;;) {
    const given = await fetch("row", { cache: "no-store" });
    if (given.status === 204) return;
    const number = Number(given.headers.get("X-Row"));
    let answer;
    try {
      answer = await row(scorer, given);
    } catch (error) {
      answer = { error: words(error) };
    }
    await told("answer", { row: number, ...answer });
  }
}

fetch("alive", { cache: "no-store" }).catch(() => {});
work().catch((error) => told("failed", { error: words(error) }));
