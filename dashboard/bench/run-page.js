/**
 * Measure the page in Chromium: `npm run bench:page`.
 *
 * It prints frames a second over 10 s at 2,000 symbols and 500 changes a second, once with the changes spread over all
 * symbols and once with all of them on screen, and the time from hiding the page to its last read.
 */
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";

const FOLDER = new URL("../build/bench", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const SECONDS = 10;

const server = createServer((request, response) => {
  const file = join(FOLDER, new URL(request.url ?? "/", "http://bench").pathname);
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

/** Count frames and the longest pause between two. @param {number} seconds */
function countFrames(seconds) {
  return new Promise((resolve) => {
    const began = performance.now();
    let frames = 0;
    let longest = 0;
    let last = began;
    const frame = (/** @type {number} */ at) => {
      frames += 1;
      longest = Math.max(longest, at - last);
      last = at;
      if (at - began < seconds * 1000) {
        requestAnimationFrame(frame);
      } else {
        resolve({ perSecond: (frames * 1000) / (at - began), longest });
      }
    };
    requestAnimationFrame(frame);
  });
}

/** @param {string} name @param {string} query */
async function measureFrames(name, query) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`http://127.0.0.1:${port}/page.html${query}`);
  await page.waitForSelector("tr[data-symbol]");
  await setTimeout(2000);
  const before = await page.evaluate("[window.bench.changes(), window.bench.documentsRead()]");
  const { perSecond, longest } = await page.evaluate(countFrames, SECONDS);
  const after = await page.evaluate("[window.bench.changes(), window.bench.documentsRead()]");
  const [changes, reads] = [0, 1].map((index) => Math.round((after[index] - before[index]) / SECONDS));
  console.log(
    `${name}: ${perSecond.toFixed(1)} frames/s, longest frame ${longest.toFixed(0)} ms, ${changes} changes/s, ${reads} reads/s`,
  );
  return page;
}

const page = await measureFrames("500 changes/s over 2,000 symbols", "?symbols=2000&changes=500");
const busy = await measureFrames("500 changes/s over 25 symbols, all on screen", "?symbols=25&changes=500");
await busy.close();
await page.bringToFront();
await page.evaluate(`Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"))`);
const atHiding = await page.evaluate("window.bench.documentsRead()");
await setTimeout(1000);
const afterSecond = await page.evaluate("window.bench.documentsRead()");
await setTimeout(5000);
const atEnd = await page.evaluate("window.bench.documentsRead()");
console.log(`hidden page: ${afterSecond - atHiding} reads in the first second, ${atEnd - afterSecond} in the next 5 s`);
await browser.close();
server.close();
