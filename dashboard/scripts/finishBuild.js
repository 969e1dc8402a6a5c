// Adds what vite and tsc leave out of dist: the styles, and the extensions of the declarations' imports, without which
// TypeScript does not find the files when it resolves modules like Node.js.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RELATIVE_IMPORT = /((?:from|import\()\s*")(\.{1,2}\/[^"]+?)(?:\.js)?(")/g;

copyFileSync(join(ROOT, "src/lib/LiveQuotesWidget.css"), join(ROOT, "dist/styles.css"));
for (const name of readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })) {
  if (name.endsWith(".d.ts")) {
    const path = join(ROOT, "dist", name);
    writeFileSync(path, readFileSync(path, "utf8").replace(RELATIVE_IMPORT, "$1$2.js$3"));
  }
}
