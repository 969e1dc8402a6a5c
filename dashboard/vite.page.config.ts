import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page: `npm run build:page` writes it to build/page. */
export default defineConfig({
  root: "page",
  plugins: [react()],
  // Relative addresses, so that the page can be served below any path.
  base: "./",
  build: { outDir: "../build/page", emptyOutDir: true, target: "es2022", sourcemap: false },
  server: { host: "127.0.0.1" },
});
