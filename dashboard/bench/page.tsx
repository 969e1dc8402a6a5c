import { createRoot } from "react-dom/client";
import "../page/page.css";
import { parseConfig } from "../page/config";
import { PageStore } from "../page/model/page-store";
import { App } from "../page/view/app";
import { FakeSource, startTraffic } from "../src/testing/fakeSource";

/** The page on a fake source: ?symbols=2000&changes=500 selects the traffic. */
class BenchSource extends FakeSource {
  async signIn(): Promise<void> {
    this.setIdentity(true);
  }

  async signOut(): Promise<void> {
    this.setIdentity(false);
  }
}

declare global {
  interface Window {
    bench: { documentsRead(): number; changes(): number };
  }
}

const query = new URLSearchParams(window.location.search);
const source = new BenchSource();
const traffic = startTraffic(source, {
  symbolCount: Number(query.get("symbols") ?? 2000),
  changesPerSecond: Number(query.get("changes") ?? 500),
});
window.bench = { documentsRead: () => source.documentsRead, changes: () => traffic.changes };

const config = parseConfig({ projectId: "bench", emulatorHost: "127.0.0.1:1", tenant: "acme" });
const store = new PageStore(config, source, {
  serverSkewSeconds: null,
  selected: null,
  batch: (flush) => void requestAnimationFrame(flush),
});
store.open();
createRoot(document.getElementById("root") as HTMLElement).render(<App store={store} initialSymbol={null} />);
