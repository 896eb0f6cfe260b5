import { Controller } from "@hotwired/stimulus";

/** Takes the closest match of a selector off the page: a preview that is cancelled. */
export default class extends Controller<HTMLElement> {
  static override values = { closest: String };
  declare readonly closestValue: string;

  now(): void {
    this.element.closest(this.closestValue)?.remove();
  }
}
