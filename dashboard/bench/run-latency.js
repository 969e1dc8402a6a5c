/**
 * Measure the time from a write to the page: `npm run bench:latency -- URL`, with the URL that `make dashboard` prints.
 *
 * It writes a symbol of its own 200 times as a server, and prints p50 and p99 of the time until the page's table shows
 * the price, and until a bare listener in Node receives it. Both begin before the write is sent, on this machine's clock.
 */
import { setTimeout } from "node:timers/promises";
import { initializeApp } from "firebase/app";
import { connectFirestoreEmulator, doc, getFirestore, onSnapshot, terminate } from "firebase/firestore";
import { chromium } from "playwright-core";

const SYMBOL = "LATENCY";
const WRITES = 200;
const INTERVAL_MILLISECONDS = 100;

const address = process.argv[2];
if (!address) {
  throw new Error("Name the URL that `make dashboard` prints: npm run bench:latency -- URL");
}
const config = await (await fetch(new URL("config.json", address))).json();
const { projectId, emulatorHost, mockUser } = config;
const tenant = config.feeds?.[0]?.tenant ?? config.tenant;
const root = `http://${emulatorHost}/v1/projects/${projectId}/databases/(default)/documents/tenants/${tenant}`;
const headers = { authorization: "Bearer owner", "content-type": "application/json" };
const heartbeat = await (await fetch(`${root}/ops/market_ingest`, { headers })).json();

/** Write the symbol with this price. @param {number} price */
async function write(price) {
  const now = { timestampValue: new Date().toISOString() };
  const number = { doubleValue: price };
  const fields = {
    symbol: { stringValue: SYMBOL },
    bid: number,
    ask: number,
    price: number,
    ts: now,
    written_at: now,
    status: { stringValue: "live" },
    session_id: heartbeat.fields.session_id,
  };
  const answer = await fetch(`${root}/live_quotes/${SYMBOL}`, {
    method: "PATCH",
    headers,
    body: JSON.stringify({ fields }),
  });
  if (!answer.ok) {
    throw new Error(`the write failed: ${answer.status} ${await answer.text()}`);
  }
}

/** Record in the page when each price of the symbol is shown. @param {string} symbol */
function recordPrices(symbol) {
  const shown = /** @type {Record<string, number>} */ ({});
  Object.assign(window, { shown });
  new MutationObserver(() => {
    const price = document.querySelector(`tr[data-symbol="${symbol}"] .price`)?.textContent?.replaceAll(",", "") ?? "";
    shown[price] ??= Date.now();
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** @param {string} name @param {number[]} milliseconds */
function printPercentiles(name, milliseconds) {
  const sorted = milliseconds.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => sorted[Math.ceil(sorted.length * share) - 1];
  console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, of ${sorted.length} writes`);
}

await write(1);
const firestore = getFirestore(initializeApp({ projectId }));
const [host, port] = emulatorHost.split(":");
connectFirestoreEmulator(firestore, host, Number(port), {
  mockUserToken: { sub: mockUser.uid, tenant_id: mockUser.tenantId },
});
/** @type {Record<string, number>} */
const received = {};
const stopListening = onSnapshot(doc(firestore, "tenants", tenant, "live_quotes", SYMBOL), (snapshot) => {
  received[Number(snapshot.get("price")).toFixed(2)] = Date.now();
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(address);
await page.waitForSelector(`tr[data-symbol="${SYMBOL}"]`);
await page.evaluate(recordPrices, SYMBOL);
await setTimeout(2000);
/** @type {Record<string, number>} */
const sent = {};
for (let index = 0; index < WRITES; index += 1) {
  const price = 100 + index;
  sent[price.toFixed(2)] = Date.now();
  await Promise.all([write(price), setTimeout(INTERVAL_MILLISECONDS)]);
}
await setTimeout(1000);
const shown = await page.evaluate("window.shown");
printPercentiles(
  "page",
  Object.entries(sent).map(([price, at]) => shown[price] - at),
);
printPercentiles(
  "bare listener",
  Object.entries(sent).map(([price, at]) => (received[price] ?? Number.NaN) - at),
);
await fetch(`${root}/live_quotes/${SYMBOL}`, { method: "DELETE", headers });
await browser.close();
stopListening();
await terminate(firestore);
process.exit(0);
