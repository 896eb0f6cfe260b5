import { Controller } from "@hotwired/stimulus";
import { remember } from "../lib/cookies";
import { t } from "../lib/words";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

export function shownTheme(chosen: string, systemIsDark: boolean): "light" | "dark" {
  return chosen === "dark" || (chosen === "auto" && systemIsDark) ? "dark" : "light";
}

/** Switches between the system's theme, light and dark; the choice is a cookie that the server paints from. */
export default class extends Controller<HTMLElement> {
  private readonly system = window.matchMedia("(prefers-color-scheme: dark)");
  private readonly follow = (): void => this.apply(this.chosen());

  override connect(): void {
    this.system.addEventListener("change", this.follow);
    this.apply(this.chosen());
  }

  override disconnect(): void {
    this.system.removeEventListener("change", this.follow);
  }

  next(): void {
    const theme = THEMES[(THEMES.indexOf(this.chosen()) + 1) % THEMES.length] as Theme;
    remember("vantage_theme", theme);
    this.apply(theme);
  }

  private chosen(): Theme {
    const theme = document.documentElement.dataset["theme"];
    return THEMES.find((known) => known === theme) ?? "auto";
  }

  private apply(theme: Theme): void {
    const root = document.documentElement;
    root.dataset["theme"] = theme;
    root.setAttribute("data-bs-theme", shownTheme(theme, this.system.matches));
    this.element.title = t(`theme_${theme}`);
    this.element.setAttribute("aria-label", t(`theme_${theme}`));
    window.dispatchEvent(new CustomEvent("theme:changed"));
  }
}
