import { Controller } from "@hotwired/stimulus";
import { remember } from "../lib/cookies";

/** Shows or hides the words of the rail; remembered in a cookie, so that the next page does not jump. */
export default class extends Controller<HTMLElement> {
  override connect(): void {
    this.tell();
  }

  toggle(): void {
    const root = document.documentElement;
    root.dataset["rail"] = root.dataset["rail"] === "narrow" ? "wide" : "narrow";
    remember("vantage_rail", root.dataset["rail"]);
    this.tell();
    window.dispatchEvent(new Event("resize"));
  }

  private tell(): void {
    this.element.setAttribute("aria-expanded", String(document.documentElement.dataset["rail"] !== "narrow"));
  }
}
