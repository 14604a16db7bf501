// Scores pictures or texts in a page of prunegate edge by keyboard, and prints what it saw as JSON:
// node edge.mjs JOB.json, a job being {executable, folder, pictures: [paths] or texts, shots}.
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// As any static server; it knows nothing of .wasm, because some do not.
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
const server = createServer((request, response) => {
  const path = join(job.folder, normalize(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html"));
  if (!existsSync(path)) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": TYPES[extname(path)] || "application/octet-stream" });
  return createReadStream(path).pipe(response);
});
await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
const root = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: job.executable,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
context.setDefaultTimeout(120_000); // a busy machine
const page = await context.newPage();
const seen = { requests: [], errors: [], violations: [] };
page.on("request", (r) => /^(blob|data):/.test(r.url()) || seen.requests.push(`${r.method()} ${r.url().replace(root, "/")}`));
page.on("console", (m) => m.type() === "error" && seen.errors.push(m.text()));
page.on("pageerror", (e) => seen.errors.push(String(e)));

async function look(name) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), RULES);
  seen.violations.push(...found.violations.map((v) => `${name} ${v.id}: ${v.nodes[0].html.slice(0, 160)}`));
  if (job.shots) await page.screenshot({ path: `${job.shots}/${job.name || "edge"}-${name}.png`, fullPage: true });
}

await page.goto(root, { waitUntil: "load" });
await page.waitForFunction(() => document.getElementById("told").textContent === "Ready.");
await page.keyboard.press("Tab"); // the first thing there is to reach
seen.focused = await page.evaluate(() => document.activeElement.id);
if (job.texts) {
  for (const text of job.texts) {
    await page.locator("#text").fill(text);
    await page.keyboard.press("Control+Enter");
  }
} else {
  let chooser = null;
  for (let tries = 0; chooser === null && tries < 5; tries += 1) { // the first press may come too early
    const chosen = page.waitForEvent("filechooser", { timeout: 20_000 }).catch(() => null);
    await page.keyboard.press("Space");
    chooser = await chosen;
  }
  await chooser.setFiles(job.pictures);
}
const given = job.texts || job.pictures;
await page.waitForFunction((n) => document.querySelectorAll("#results li").length === n, given.length);
seen.cards = (await page.locator("#results li").allInnerTexts()).reverse();
seen.numbers = (await page.locator("#results li").evaluateAll((cards) => cards.map((card) => Object.fromEntries(
  [...card.querySelectorAll("dt")].map((term) => [term.textContent, term.nextSibling.nextSibling.textContent]),
)))).reverse();
seen.too_wide = await page.evaluate(() => document.documentElement.scrollWidth > 390);
await look("phone");
await page.emulateMedia({ colorScheme: "dark" });
await look("dark");
await page.emulateMedia({ colorScheme: "light" });
await page.setViewportSize({ width: 1366, height: 900 });
await look("laptop");
const [requests, errors] = [[...seen.requests], [...seen.errors]]; // what follows is refused
seen.sent = await page.evaluate(async () => {
  const ways = [
    () => fetch("http://127.0.0.1:9/", { method: "POST", body: "x", mode: "no-cors" }),
    () => new Promise((done, no) => { const i = new Image(); i.onload = done; i.onerror = no; i.src = "http://127.0.0.1:9/x.png"; }),
    () => import("http://127.0.0.1:9/x.js"),
  ];
  const blocked = [];
  addEventListener("securitypolicyviolation", (e) => blocked.push(e.effectiveDirective));
  for (const way of ways) await way().catch(() => {});
  return blocked;
});
Object.assign(seen, { requests, errors });
await page.locator("#clear").focus();
await page.keyboard.press("Enter");
seen.left = await page.locator("#results li").count();
await browser.close();
server.close();
process.stdout.write(JSON.stringify(seen));
