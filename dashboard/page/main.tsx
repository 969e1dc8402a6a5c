import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";
import { ConfigError, type PageConfig, parseConfig } from "./config";
import { firebaseSource } from "./firebase-source";
import { feedOfLink, parseLink } from "./links";
import { PageStore } from "./model/page-store";
import { App } from "./view/app";
import { Message } from "./view/messages";

/** The address of the configuration, relative to the page. */
const CONFIG = "config.json";

async function readConfig(): Promise<{ config: PageConfig; serverSkewSeconds: number | null }> {
  let answer: Response;
  try {
    answer = await fetch(CONFIG, { cache: "no-store" });
  } catch {
    throw new ConfigError("The server of this page cannot be reached. Check the network, then reload the page.");
  }
  const serverTime = Date.parse(answer.headers.get("date") ?? "");
  if (!answer.ok) {
    throw new ConfigError(`${CONFIG} cannot be read: the server answered ${answer.status}. Put it beside index.html.`);
  }
  let value: unknown;
  try {
    value = await answer.json();
  } catch {
    throw new ConfigError(`${CONFIG} is not JSON. See dashboard/config.example.json.`);
  }
  // The header Date has whole seconds, so half a second is added on average.
  const serverSkewSeconds = Number.isNaN(serverTime) ? null : (Date.now() - serverTime) / 1000 - 0.5;
  return { config: parseConfig(value), serverSkewSeconds };
}

function beforeFrame(flush: () => void): void {
  requestAnimationFrame(flush);
}

async function main(): Promise<void> {
  const root = createRoot(document.getElementById("root") as HTMLElement);
  root.render(<Message title="Loading" />);
  try {
    const { config, serverSkewSeconds } = await readConfig();
    const link = parseLink(window.location.search);
    const selected = feedOfLink(link, config.feeds);
    const store = new PageStore(config, await firebaseSource(config), {
      serverSkewSeconds,
      selected,
      batch: beforeFrame,
    });
    store.open();
    root.render(
      <StrictMode>
        <App store={store} initialSymbol={link.symbol} />
      </StrictMode>,
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    root.render(
      <main>
        <Message title="This page cannot start">
          <p role="alert">{message}</p>
        </Message>
      </main>,
    );
  }
}

void main();
