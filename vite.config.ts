/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { iconSprite } from "./frontend/build/icons.ts";

// Leaflet is served by django-leaflet as the global L; one Leaflet for the page, its plugins and us.
const leaflet = fileURLToPath(new URL("./frontend/islands/leaflet-global.ts", import.meta.url));

export default defineConfig({
  base: "./",
  publicDir: false,
  resolve: { alias: { leaflet } },
  plugins: [iconSprite()],
  build: {
    outDir: "static/dist",
    // Names carry their content's hash: pages of a running server keep theirs, the launcher sweeps old ones.
    emptyOutDir: false,
    manifest: true,
    target: "es2022",
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
    // htmx holds an eval that allowEval:false never reaches, and the CSP forbids.
    rolldownOptions: { input: "frontend/main.ts", checks: { eval: false } },
  },
  test: { environment: "jsdom", include: ["frontend/**/*.test.ts"], setupFiles: ["frontend/testing/browser.ts"], restoreMocks: true },
});
