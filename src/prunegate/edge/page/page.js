// The page: pictures in, what the model says of each out. How it scores is scorer.js.
import { Scorer, described } from "./scorer.js";

const at = (id) => document.getElementById(id);
const made = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
const words = (error) => (error && error.message ? error.message : String(error));
// Cut, not rounded: what is shown never passes a threshold that the score itself does not reach.
const shown = (share) => (Math.floor(share * 10_000 + 1e-9) / 10_000).toFixed(4);
const waiting = [];
const pictures = new Set();
let scorer;
let busy = false;

function tell(text, bad) {
  at("told").textContent = text;
  at("told").className = bad ? "bad" : "";
}

function decided({ kind, thresholds }, classes, shares) {
  if (kind === "likeliest") return { answer: classes[shares.indexOf(Math.max(...shares))], flagged: false };
  const over = classes.filter((name, i) => name in thresholds && shares[i] >= thresholds[name]);
  if (kind === "each") return { answer: over.join(", ") || "none of the classes", flagged: over.length > 0 };
  const [name] = Object.keys(thresholds);
  return { answer: over.length ? name : `not ${name}`, flagged: over.length > 0 };
}

function scores(classes, shares) {
  const list = made("dl", undefined, "scores");
  const order = shares.map((_, i) => i).sort((a, b) => shares[b] - shares[a]).slice(0, 10);
  for (const i of order) {
    const term = made("dt");
    term.append(made("bdi", classes[i]));
    const bar = made("progress");
    bar.value = shares[i];
    bar.setAttribute("aria-hidden", "true"); // the number beside it says the same
    const bars = made("dd");
    bars.append(bar);
    list.append(term, bars, made("dd", shown(shares[i]), "value"));
  }
  return list;
}

function card(file) {
  const item = made("li");
  const picture = made("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  pictures.add(picture.src);
  const facts = made("div");
  const name = made("h3");
  name.append(made("bdi", file.name || "pasted picture"));
  facts.append(name);
  item.append(picture, facts);
  return { item, facts };
}

async function one(file) {
  const { item, facts } = card(file);
  try {
    const found = await scorer.score(file);
    const { answer, flagged } = decided(scorer.about.decision, scorer.about.classes, found.shares);
    item.classList.toggle("flagged", flagged);
    const line = made("p", undefined, "answer");
    line.append(made("bdi", answer));
    facts.append(line, scores(scorer.about.classes, found.shares));
    facts.append(made("p", `model ${found.run_ms.toFixed(1)} ms, picture ${found.prepare_ms.toFixed(1)} ms`, "took"));
    tell(`${file.name || "pasted picture"}: ${answer}`);
  } catch (error) {
    item.querySelector("img").remove();
    facts.append(made("p", `Not scored: ${words(error)}`, "answer"));
    tell(`${file.name || "pasted picture"} is not scored: ${words(error)}`, true);
  }
  at("results").prepend(item);
  at("clear").hidden = false;
}

async function work(files) {
  waiting.push(...files);
  if (busy || !scorer) return;
  busy = true;
  while (waiting.length) {
    await one(waiting.shift());
    await new Promise((done) => { setTimeout(done); }); // let the page be drawn
  }
  busy = false;
}

function clear() {
  at("results").replaceChildren();
  pictures.forEach((url) => URL.revokeObjectURL(url));
  pictures.clear();
  at("clear").hidden = true;
  tell("Removed.");
  at("files").focus();
}

function listen() {
  const drop = at("drop");
  at("files").addEventListener("change", (event) => { work([...event.target.files]); event.target.value = ""; });
  at("clear").addEventListener("click", clear);
  addEventListener("paste", (event) => work([...event.clipboardData.files]));
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    work([...event.dataTransfer.files]);
  });
}

function facts(about) {
  const thresholds = Object.entries(about.decision.thresholds).map(([name, value]) => `${name} from ${value}`);
  const rows = [
    ["Decides", thresholds.join(", ") || "the likeliest class"],
    ["Model", about.candidate.digest.slice(0, 16)],
    ["Runs in", `${about.runtime.package} ${about.runtime.version}, ${about.runtime.engine}`],
    ["Made by", about.made_by],
  ];
  at("facts").replaceChildren(...rows.map(([name, value]) => {
    const pair = made("div");
    pair.append(made("dt", name), made("dd", value));
    return pair;
  }));
}

async function start() {
  tell("The model is being loaded …");
  try {
    const about = await described();
    document.title = at("title").textContent = about.title;
    facts(about);
    scorer = await Scorer.open(about);
  } catch (error) {
    tell(`This page cannot score: ${words(error)}`, true);
    return;
  }
  at("files").disabled = false;
  listen();
  tell("Ready.");
}

start();
