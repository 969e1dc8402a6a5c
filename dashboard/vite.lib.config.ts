import { defineConfig } from "vite";

/** The library: one ES module for each source file, so that a bundler drops what a user does not import. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    sourcemap: true,
    lib: {
      entry: ["src/index.ts", "src/testing/fakeSource.ts"],
      formats: ["es"],
      cssFileName: "styles",
    },
    rolldownOptions: {
      external: [/^react($|\/)/, /^firebase($|\/)/],
      output: { preserveModules: true, preserveModulesRoot: "src", entryFileNames: "[name].js" },
    },
  },
});
