import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page on a fake source, for `npm run bench:page`. */
export default defineConfig({
  root: "bench",
  plugins: [react()],
  base: "./",
  build: {
    outDir: "../build/bench",
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: { input: "bench/page.html" },
  },
});
