/**
 * A browser that is driven by lines of JSON: each line on stdin is one command, each line on stdout its answer.
 *
 * {"do": "open", "url": "…"} is answered by {"value": …} or {"error": "…"}. The Python tests start this program.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
/** @type {Map<string, import("playwright-core").Page>} */
const tabs = new Map();
let page = await context.newPage();
/** @type {string[]} */
let problems = [];

/** Set the clock of a page ahead by some milliseconds. @param {number} ahead */
function setClockAhead(ahead) {
  const RealDate = Date;
  const now = () => RealDate.now() + ahead;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, values) => Reflect.construct(target, values.length > 0 ? values : [now()]),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
}

/** @typedef {Record<string, any>} Command */
/** @type {Record<string, (command: Command) => Promise<unknown>>} */
const commands = {
  // Without a name, the page takes the place of all tabs.
  async open({ url, clockAheadMilliseconds = 0, tab = null }) {
    if (tab === null) {
      await Promise.all(context.pages().map((each) => each.close()));
      tabs.clear();
      problems = [];
    }
    page = await context.newPage();
    tabs.set(tab ?? "", page);
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    if (clockAheadMilliseconds !== 0) {
      await page.addInitScript(setClockAhead, clockAheadMilliseconds);
    }
    await page.goto(url);
  },
  async switchTo({ tab }) {
    page = /** @type {import("playwright-core").Page} */ (tabs.get(tab));
    await page.bringToFront();
  },
  async show({ width, height, dark }) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  },
  evaluate: ({ expression }) => page.evaluate(expression),
  // Playwright's own waitForFunction polls with eval, which the page's content security policy forbids.
  async waitFor({ expression, seconds }) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await setTimeout(50)) {
      if (await page.evaluate(expression)) {
        return;
      }
    }
    throw new Error("it did not become true");
  },
  click: ({ selector }) => page.locator(selector).first().click(),
  press: ({ key }) => page.keyboard.press(key),
  offline: ({ offline }) => context.setOffline(offline),
  screenshot: ({ path }) => page.screenshot({ path }),
  problems: async () => problems,
  async axe() {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate("axe.run()");
    return violations.map((/** @type {Command} */ each) => ({
      id: each.id,
      help: each.help,
      nodes: each.nodes.map((/** @type {Command} */ node) => `${node.html}: ${node.failureSummary}`),
    }));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {Command} */
  const command = JSON.parse(line);
  const run = commands[command.do];
  try {
    const value = run ? await run(command) : Promise.reject(new Error(`unknown command ${command.do}`));
    console.log(JSON.stringify({ value: (await value) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}
await browser.close();
