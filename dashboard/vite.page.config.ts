import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// What changes rarely has files of its own, which browsers keep when a new version of the page is published.
const CHUNKS = [
  { name: "firestore", test: /node_modules\/@firebase\/(firestore|webchannel-wrapper)\// },
  { name: "auth", test: /node_modules\/@firebase\/auth\// },
  { name: "firebase", test: /node_modules\/(@firebase|firebase|idb)\// },
  { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
];

/** The page: `npm run build:page` writes it to build/page. */
export default defineConfig({
  root: "page",
  plugins: [react()],
  // Relative addresses, so that the page can be served below any path.
  base: "./",
  build: {
    outDir: "../build/page",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
  },
  server: { host: "127.0.0.1" },
});
