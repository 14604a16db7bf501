// Opens pages in one tab of Chromium and prints what it saw of each as JSON: node look.mjs JOBS.json
// A job: {name, file, axe: bool, shots: folder or null}. The PDF of a page lies beside it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [, , jobsFile] = process.argv;
const { executable, jobs } = JSON.parse(readFileSync(jobsFile, "utf8"));
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const A4 = { width: 688, height: 1000 }; // what is left of a page between its margins, in CSS pixels

const browser = await chromium.launch({
  executablePath: executable,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});

const page = await (await browser.newContext()).newPage();
let [url, requests, errors] = ["", [], []];
page.on("request", (r) => r.url() === url || r.url().startsWith("data:") || requests.push(r.url()));
page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
page.on("pageerror", (e) => errors.push(String(e)));

async function violations() {
  await page.evaluate(axeSource);
  const found = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }),
    RULES,
  );
  return found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
}

// What of page one is cut off on paper: parts whose content is larger than their box.
function clipped() {
  const parts = [...document.querySelectorAll(".page-one, .page-one > *")];
  return parts
    .filter((part) => part.scrollHeight > part.clientHeight + 1 && part.clientHeight > 0)
    .map((part) => `${part.className || part.tagName}: ${part.scrollHeight} > ${part.clientHeight}`);
}

async function look(job) {
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  await page.setViewportSize({ width: 1366, height: 900 });
  [url, requests, errors] = [pathToFileURL(job.file).href, [], []];
  const began = Date.now();
  await page.goto(url, { waitUntil: "load" });
  const seen = { name: job.name, load_ms: Date.now() - began };
  const first = page.locator(".page-one");
  seen.first = (await first.count()) ? await first.innerText() : "";
  seen.tree = job.tree ? await page.locator("body").ariaSnapshot() : "";
  seen.violations = job.axe ? await violations() : [];
  if (job.shots) await page.screenshot({ path: `${job.shots}/${job.name}-laptop.png`, fullPage: true });
  seen.dark = [];
  if (job.dark) {
    await page.emulateMedia({ colorScheme: "dark" });
    seen.dark = await violations();
    if (job.shots) await page.screenshot({ path: `${job.shots}/${job.name}-dark.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
  }
  if (job.phone) {
    await page.setViewportSize({ width: 390, height: 844 });
    seen.too_wide = await page.evaluate(() => document.documentElement.scrollWidth > 390);
    seen.chart_text = await page.evaluate(() => Math.min(99, ...[...document.querySelectorAll(".chart text")]
      .map((t) => [parseFloat(getComputedStyle(t).fontSize), t.getScreenCTM()])
      .map(([size, m]) => size * Math.hypot(m.a, m.b))));
    if (job.shots) await page.screenshot({ path: `${job.shots}/${job.name}-phone.png`, fullPage: true });
  }
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize(A4);
  seen.clipped = await page.evaluate(clipped);
  await page.pdf({ path: `${job.file}.pdf`, preferCSSPageSize: true, tagged: true });
  return { ...seen, requests, errors };
}

const all = [];
for (const job of jobs) all.push(await look(job));
await browser.close();
process.stdout.write(JSON.stringify(all));
