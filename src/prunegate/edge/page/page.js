// The page: pictures or texts in, what the model says of each out. How it scores is scorer.js.
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

const START = 80; // characters of a text that name it
const named = (given) => {
  if (typeof given !== "string") return given.name || "pasted picture";
  return given.length > START ? `${given.slice(0, START)} …` : given;
};

function card(given) {
  const item = made("li");
  const facts = made("div");
  const name = made("h3");
  name.append(made("bdi", named(given)));
  facts.append(name);
  if (typeof given !== "string") {
    const picture = made("img");
    picture.alt = "";
    picture.src = URL.createObjectURL(given);
    pictures.add(picture.src);
    item.append(picture);
  }
  item.append(facts);
  return { item, facts };
}

async function one(given) {
  const { item, facts } = card(given);
  try {
    const found = await scorer.score(given);
    const { answer, flagged } = decided(scorer.about.decision, scorer.about.classes, found.shares);
    item.classList.toggle("flagged", flagged);
    const line = made("p", undefined, "answer");
    line.append(made("bdi", answer));
    facts.append(line, scores(scorer.about.classes, found.shares));
    facts.append(made("p", `model ${found.run_ms.toFixed(1)} ms, preparing ${found.prepare_ms.toFixed(1)} ms`, "took"));
    tell(`${named(given)}: ${answer}`);
  } catch (error) {
    item.querySelector("img")?.remove();
    facts.append(made("p", `Not scored: ${words(error)}`, "answer"));
    tell(`${named(given)} is not scored: ${words(error)}`, true);
  }
  at("results").prepend(item);
  at("clear").hidden = false;
}

async function work(given) {
  waiting.push(...given);
  if (busy || !scorer) return;
  busy = true;
  while (waiting.length) {
    await one(waiting.shift());
    await new Promise((done) => { setTimeout(done); }); // let the page be drawn
  }
  busy = false;
}

async function workFiles(files) {
  work(scorer.tokenizer ? await Promise.all(files.map((file) => file.text())) : files);
}

function clear() {
  at("results").replaceChildren();
  pictures.forEach((url) => URL.revokeObjectURL(url));
  pictures.clear();
  at("clear").hidden = true;
  tell("Removed.");
  (scorer.tokenizer ? at("text") : at("files")).focus();
}

function submit(event) {
  event.preventDefault();
  if (at("text").value.trim()) work([at("text").value]);
  else tell("There is no text.", true);
}

function listen() {
  const drop = scorer.tokenizer ? at("write") : at("drop");
  drop.hidden = false;
  at("files").addEventListener("change", (event) => { workFiles([...event.target.files]); event.target.value = ""; });
  at("write").addEventListener("submit", submit);
  at("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
  at("clear").addEventListener("click", clear);
  addEventListener("paste", (event) => { if (!scorer.tokenizer) workFiles([...event.clipboardData.files]); });
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    workFiles([...event.dataTransfer.files]);
  });
}

function facts(about) {
  const from = (found) => Object.entries(found ?? {}).map(([name, value]) => `${name} from ${value}`);
  const [thresholds, judged] = [from(about.decision.thresholds), from(about.decision.judged)];
  const rows = [
    ["Decides", thresholds.join(", ") || "the likeliest class"],
    ...(judged.length ? [["Judged", `${judged.join(", ")}: no verdict speaks of this page`]] : []),
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
