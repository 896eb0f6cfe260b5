import { Controller } from "@hotwired/stimulus";
import { absolute, nextChange, relative } from "../lib/time";

/** Keeps "3 min ago" true on a <time datetime>; the title holds the moment in Asia/Shanghai. */
export default class extends Controller<HTMLTimeElement> {
  private timer: ReturnType<typeof setTimeout> | undefined;

  override connect(): void {
    this.show();
  }

  override disconnect(): void {
    clearTimeout(this.timer);
  }

  private show(): void {
    const moment = new Date(this.element.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    this.element.textContent = relative(moment);
    this.element.title = absolute(moment);
    this.timer = setTimeout(() => this.show(), nextChange(moment));
  }
}
