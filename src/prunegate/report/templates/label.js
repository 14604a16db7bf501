
"use strict";
// One row at a time. What was said is kept in this browser, under the digest of the list's frame.
const data = JSON.parse(document.getElementById("data").textContent);
const KEYED = 9; // labels with a key of their own; with more there is a search
const key = "prunegate-label:" + data.frame;
const at = (id) => document.getElementById(id);
const made = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
const words = (name, parts = {}) => // a message, with what stands in braces filled in
  data.words[name].replace(/{(\w+)}/g, (_, part) => parts[part]);
let said = {}; // row number -> place among the answers
let order = []; // row numbers in the order in which they were answered, for undo
let here = 0;
let keeps = true;

function recall(text) {
  const kept = JSON.parse(text || "{}");
  const good = (row) => Number.isInteger(row) && row >= 0 && row < data.rows.length;
  const answers = Object.entries(kept.said || {}).filter(([row, answer]) =>
    good(Number(row)) && Number.isInteger(answer) && answer >= 0 && answer < data.answers.length);
  said = Object.fromEntries(answers);
  order = (Array.isArray(kept.order) ? kept.order : []).filter((row) => row in said);
}

function keep() {
  try {
    localStorage.setItem(key, JSON.stringify({ said, order }));
    keeps = true;
  } catch {
    keeps = false;
  }
}

function start() {
  if (data.rows.length === 0) {
    at("told").textContent = words("done");
    document.querySelector("main").remove();
    document.querySelector("footer").remove();
    return;
  }
  try {
    recall(localStorage.getItem(key));
  } catch {
    keeps = false;
  }
  data.answers.forEach((answer, place) => {
    const button = made("button");
    button.type = "button";
    if (answer.key) button.append(made("kbd", answer.key.toUpperCase()), " ");
    button.append(made("bdi", answer.shown));
    button.addEventListener("click", () => say(place));
    at("answers").append(button);
  });
  at("find").hidden = data.answers.length <= KEYED + 1;
  here = firstOpen(0);
  listen();
  show();
}

function firstOpen(from) {
  const rows = data.rows.length;
  for (let step = 0; step < rows; step += 1) {
    const row = (from + step) % rows;
    if (!(row in said)) return row;
  }
  return Math.min(from, rows - 1);
}

function say(place) {
  said[here] = place;
  order = order.filter((row) => row !== here);
  order.push(here);
  keep();
  go(firstOpen(here + 1 < data.rows.length ? here + 1 : 0));
}

function found() {
  const wanted = at("find").value.trim().toLowerCase();
  return data.answers.map((answer) => answer.shown.toLowerCase().includes(wanted));
}

// What Enter takes: the label of just that name, else one that begins so, else the first shown.
function best() {
  const wanted = at("find").value.trim().toLowerCase();
  const names = data.answers.map((answer) => answer.shown.toLowerCase());
  const places = [names.indexOf(wanted), names.findIndex((name) => name.startsWith(wanted))];
  return places.find((place) => place >= 0) ?? found().indexOf(true);
}

function narrow() {
  const shown = found();
  const taken = at("find").value.trim() ? best() : -1;
  [...at("answers").children].forEach((button, place) => {
    button.hidden = !shown[place];
    button.classList.toggle("taken", place === taken);
  });
}

function pick(event) {
  const taken = best();
  const take = event.key === "Enter" && at("find").value.trim() && taken >= 0;
  if (!take && event.key !== "Escape") return;
  event.preventDefault();
  at("find").value = "";
  narrow();
  if (take) say(taken);
  else at("find").blur();
}

function undo() {
  const row = order.pop();
  if (row === undefined) return;
  delete said[row];
  keep();
  go(row);
}

function go(row) {
  here = Math.max(0, Math.min(row, data.rows.length - 1));
  show();
  at("content").scrollTop = 0;
}

function show() {
  const row = data.rows[here];
  const total = data.rows.length;
  const done = Object.keys(said).length;
  at("place").textContent = words("place", { row: here + 1, total });
  at("facts").replaceChildren(...data.columns.map((name, i) => {
    const pair = made("div");
    pair.append(made("dt", name), made("dd", row.shown[i]));
    return pair;
  }));
  at("content").replaceChildren(content(row));
  [...at("answers").children].forEach((button, place) =>
    button.setAttribute("aria-pressed", String(said[here] === place)));
  at("undo").setAttribute("aria-disabled", String(order.length === 0));
  at("back").setAttribute("aria-disabled", String(here === 0));
  at("next").setAttribute("aria-disabled", String(here === total - 1));
  at("open").setAttribute("aria-disabled", String(done === total));
  at("bar").value = done;
  const unsure = Object.values(said).filter((place) => data.answers[place].unsure).length;
  const doubts = unsure ? words("told_unsure", { unsure }) : "";
  at("told").textContent = words("told", { done, total }) + doubts + (done === total ? words("told_save") : "");
  at("kept").className = keeps ? "" : "bad";
  at("kept").textContent = words(keeps ? "kept" : "not_kept");
}

function content(row) {
  if (row.picture) {
    const image = made("img");
    image.alt = words("picture", { row: here + 1 });
    image.src = row.picture;
    return image;
  }
  if (row.text !== undefined) return made("p", row.text, "text");
  return made("p", words("nothing"), "none");
}

const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function save() {
  const lines = [[...data.columns, data.label], ...data.rows.map((row, i) =>
    [...row.cells, i in said ? data.answers[said[i]].value : ""])];
  const text = lines.map((line) => line.map(cell).join(",") + "\n").join("");
  const link = made("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = data.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function listen() {
  const moves = { undo, save, back: () => go(here - 1), next: () => go(here + 1), open: () => go(firstOpen(here)) };
  for (const [id, move] of Object.entries(moves)) at(id).addEventListener("click", move);
  const keys = { z: undo, backspace: undo, s: save, n: moves.open, "/": () => at("find").focus(), arrowleft: moves.back, arrowright: moves.next };
  data.answers.forEach((answer, place) => { if (answer.key) keys[answer.key] = () => say(place); });
  at("find").addEventListener("input", narrow);
  at("find").addEventListener("keydown", pick);
  document.addEventListener("keydown", (event) => {
    if (event.target === at("find")) return;
    const asked = keys[event.key.toLowerCase()];
    const other = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (!asked || other || !at("keys").checked) return;
    event.preventDefault();
    asked();
  });
  window.addEventListener("storage", (event) => { // the same list in another window
    if (event.key !== key) return;
    recall(event.newValue);
    show();
  });
}

start();
