import { Controller } from "@hotwired/stimulus";

/** Applies a filter form by itself: typing after a pause, a choice at once. Empty fields stay out of the URL. */
export default class extends Controller<HTMLFormElement> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly trim = (event: Event): void => {
    const { parameters } = (event as CustomEvent<{ parameters: Record<string, unknown> | FormData }>).detail;
    if (parameters instanceof FormData) {
      for (const [name, value] of [...parameters.entries()]) if (value === "") parameters.delete(name);
    } else {
      for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
    }
  };

  override connect(): void {
    this.element.addEventListener("htmx:configRequest", this.trim);
  }

  override disconnect(): void {
    clearTimeout(this.timer);
    this.element.removeEventListener("htmx:configRequest", this.trim);
  }

  changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), 350);
  }

  now(): void {
    clearTimeout(this.timer);
    this.element.dispatchEvent(new CustomEvent("filters:apply"));
  }
}
