import { beforeEach, expect, test } from "vitest";
import { one, page, press } from "../testing/page";
import menu from "./menu_controller";
import rail from "./rail_controller";
import searchFocus from "./search_focus_controller";
import shell from "./shell_controller";
import theme, { shownTheme } from "./theme_controller";

const PAGE = `
  <div data-controller="shell">
    <form data-controller="search-focus" data-action="keydown->search-focus#keys">
      <input data-search-focus-target="input"><div data-search-focus-target="results"></div>
    </form>
    <textarea id="typing"></textarea>
    <button id="theme" data-controller="theme" data-action="theme#next"></button>
    <button id="rail" data-controller="rail" data-action="rail#toggle"></button>
    <details data-controller="menu"><summary>m</summary><a href="#x">x</a></details>
    <section id="keyboard-help" hidden></section>
  </div>`;

beforeEach(async () => {
  document.documentElement.dataset["theme"] = "auto";
  document.documentElement.dataset["rail"] = "wide";
  await page(PAGE, { shell, "search-focus": searchFocus, theme, rail, menu });
});

test.each([
  ["auto", false, "light"],
  ["auto", true, "dark"],
  ["light", true, "light"],
  ["dark", false, "dark"],
])("theme %s with a dark system %s shows %s", (chosen, dark, shown) => expect(shownTheme(chosen, dark)).toBe(shown));

test("the theme button walks through auto, light and dark and remembers", () => {
  const root = document.documentElement;
  one("#theme").click();
  expect(root.getAttribute("data-bs-theme")).toBe("light");
  one("#theme").click();
  expect(root.getAttribute("data-bs-theme")).toBe("dark");
  expect(document.cookie).toContain("vantage_theme=dark");
  one("#theme").click();
  expect(root.dataset["theme"]).toBe("auto");
});

test("the rail folds, says so and remembers", () => {
  one("#rail").click();
  expect(document.documentElement.dataset["rail"]).toBe("narrow");
  expect(one("#rail").getAttribute("aria-expanded")).toBe("false");
  expect(document.cookie).toContain("vantage_rail=narrow");
});

test("a slash jumps into the search, but not while typing", () => {
  expect(press("/", one("#typing")).defaultPrevented).toBe(false);
  expect(press("/").defaultPrevented).toBe(true);
  expect(document.activeElement).toBe(one("input"));
});

test("arrows walk through the answers and back into the field", () => {
  one("[data-search-focus-target=results]").innerHTML = '<a href="/1">1</a><a href="/2">2</a>';
  one("input").focus();
  press("ArrowDown", one("input"));
  expect(document.activeElement?.textContent).toBe("1");
  press("ArrowUp", document.activeElement as Element);
  expect(document.activeElement).toBe(one("input"));
});

test("a question mark shows the keyboard help and Esc hides it", () => {
  press("?", document.body);
  expect(one("#keyboard-help").hidden).toBe(false);
  press("Escape", document.body);
  expect(one("#keyboard-help").hidden).toBe(true);
});

test("a menu closes on Esc and on a click elsewhere", () => {
  const details = one<HTMLDetailsElement>("details");
  details.open = true;
  press("Escape");
  expect(details.open).toBe(false);
  details.open = true;
  one("#typing").click();
  expect(details.open).toBe(false);
});
