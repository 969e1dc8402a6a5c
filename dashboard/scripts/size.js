// Prints the gzip size that a user's bundle gains, without React and Firebase. Run `npm run build` first.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const BUILT_INDEX = fileURLToPath(new URL("../dist/index.js", import.meta.url));
const EXPORTS = [
  ["everything", "*"],
  ["LiveQuotesWidget and firestoreSource", "{ LiveQuotesWidget, firestoreSource }"],
  ["useLiveQuotes, useQuote and firestoreSource", "{ useLiveQuotes, useQuote, firestoreSource }"],
  ["isLive alone", "{ isLive }"],
];

/**
 * Return the minified code of a bundle that exports `names` of the module `index`. React and Firebase stay outside.
 *
 * @param {string} names such as `{ isLive }`
 * @param {string} index the path of a file
 * @returns {Promise<string>}
 */
export async function bundle(names, index) {
  const entry = "virtual:entry";
  const built = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? `export ${names} from ${JSON.stringify(index)};` : null),
      },
    ],
    build: {
      write: false,
      minify: true,
      rolldownOptions: {
        input: entry,
        preserveEntrySignatures: "strict",
        external: [/^react($|\/)/, /^firebase($|\/)/],
      },
    },
  });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) {
    throw new Error("vite returned no bundle");
  }
  return output.output[0].code;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(BUILT_INDEX)) {
    console.error("dist/index.js does not exist: run npm run build first");
    process.exit(1);
  }
  for (const [name = "", names = ""] of EXPORTS) {
    const kilobytes = gzipSync(await bundle(names, BUILT_INDEX)).length / 1000;
    console.log(`${kilobytes.toFixed(1).padStart(5)} kB  ${name}`);
  }
}
