// Labels the rows of a label.html in Chromium by keyboard alone, and prints what it saw as JSON:
// node label.mjs JOB.json, a job being {executable, file, keys: {id: key}, save: path, shots, many: a
// file with more labels than keys, look_up: one of them}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const browser = await chromium.launch({
  executablePath: job.executable,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const context = await browser.newContext({ viewport: { width: 390, height: 844 }, acceptDownloads: true });
const url = pathToFileURL(job.file).href;
const seen = { requests: [], errors: [], violations: [], told: [] };

async function opened() {
  const page = await context.newPage();
  page.on("request", (r) => r.url() === url || /^(data|blob):/.test(r.url()) || seen.requests.push(r.url()));
  page.on("console", (m) => m.type() === "error" && seen.errors.push(m.text()));
  page.on("pageerror", (e) => seen.errors.push(String(e)));
  page.on("dialog", (d) => { seen.errors.push(`dialog: ${d.message()}`); return d.dismiss(); });
  await page.goto(url, { waitUntil: "load" });
  return page;
}

async function violations(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }),
    RULES,
  );
  return found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
}

const id = (page) => page.locator("#facts dd").first().textContent();
const told = (page) => page.locator("#told").textContent();
const says = async (page) => page.keyboard.press(job.keys[await id(page)]);

let page = await opened();
seen.first = await page.locator("#content").innerText();
seen.answers = await page.locator("#answers button").allInnerTexts();
seen.too_wide = await page.evaluate(() => document.documentElement.scrollWidth > 390);
seen.violations.push(...(await violations(page)));
if (job.shots) await page.screenshot({ path: `${job.shots}/label-phone.png`, fullPage: true });
await page.emulateMedia({ colorScheme: "dark" });
seen.violations.push(...(await violations(page)));
if (job.shots) await page.screenshot({ path: `${job.shots}/label-dark.png`, fullPage: true });
const begun = await id(page);
await says(page); // said, taken back, and said again
await says(page);
await page.keyboard.press("z");
await page.keyboard.press("z");
seen.undone = (await id(page)) === begun && (await told(page)).startsWith("0 of");
const half = Math.floor(Object.keys(job.keys).length / 2);
for (let i = 0; i < half; i += 1) await says(page);
seen.told.push(await told(page));
await page.close();

page = await opened(); // another day
seen.told.push(await told(page));
await page.setViewportSize({ width: 1366, height: 900 });
await page.locator("#answers button").first().focus(); // without single keys: Tab and Enter
await page.locator("#keys").uncheck();
const chosen = Number(job.keys[await id(page)].replace("u", "3")) - 1;
await page.locator("#answers button").nth(chosen).focus();
await page.keyboard.press("Enter");
await page.locator("#keys").check();
while (!(await told(page)).includes("save")) await says(page);
seen.told.push(await told(page));
if (job.shots) await page.screenshot({ path: `${job.shots}/label-laptop.png`, fullPage: true });
const many = await context.newPage(); // more labels than keys: looked up by name
await many.goto(pathToFileURL(job.many).href, { waitUntil: "load" });
await many.keyboard.press("/");
await many.keyboard.type(job.look_up);
seen.framed = await many.locator("#answers button.taken").innerText();
await many.keyboard.press("Enter");
seen.taken = await many.evaluate(() => data.answers[said[0]].value);
await many.close();
const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("s")]);
await download.saveAs(job.save);
seen.name = download.suggestedFilename();
await browser.close();
process.stdout.write(JSON.stringify(seen));
