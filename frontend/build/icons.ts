/** Vite plugin: collects the icon names that templates and Python use and writes one SVG sprite of them. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const OUTLINE = "node_modules/@tabler/icons/icons/outline";
const PLACES = ["templates", "apps", "portal", "workers", "frontend"];
const USES = [/\{%\s*icon\s+["']([a-z0-9-]+)["']/g, /icon["']?\s*[=:]\s*["']([a-z0-9-]+)["']/g];

export function namesIn(text: string): string[] {
  return USES.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string));
}

/** One <symbol> of a Tabler SVG; strokes follow the text colour of the place it is used in. */
export function symbolOf(name: string, svg: string): string {
  const shapes = svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/<path stroke="none"[^>]*\/>/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return (
    `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" ` +
    `stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`
  );
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules" || entry.name === "migrations" || entry.name === "__pycache__") return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(html|py|ts)$/.test(entry.name) && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

function existing(folder: string): string[] {
  try {
    return sources(folder);
  } catch {
    return [];
  }
}

export function iconSprite(): Plugin {
  let outDir = "static/dist";
  let file = "";
  let index = "";
  return {
    name: "vantage-icons",
    apply: "build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    buildStart() {
      const files = PLACES.flatMap(existing);
      files.forEach((path) => this.addWatchFile(path));
      const names = [...new Set(files.flatMap((path) => namesIn(readFileSync(path, "utf8"))))].sort();
      const symbols: string[] = [];
      for (const name of names) {
        try {
          symbols.push(symbolOf(name, readFileSync(join(OUTLINE, `${name}.svg`), "utf8")));
        } catch {
          this.warn(`no icon is called "${name}"`);
        }
      }
      const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
      file = `assets/icons-${createHash("sha256").update(sprite).digest("hex").slice(0, 10)}.svg`;
      index = JSON.stringify({ file, names });
      this.emitFile({ type: "asset", fileName: file, source: sprite });
    },
    writeBundle() {
      const path = join(outDir, ".vite", "icons.json");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, index);
    },
  };
}
