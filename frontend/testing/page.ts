/** A page for controller tests: HTML, words, and Stimulus with the controllers under test. */
import { Application, type ControllerConstructor } from "@hotwired/stimulus";
import { afterAll } from "vitest";
import { forgetWords } from "../lib/words";

let application: Application | null = null;

afterAll(leave);

export async function page(
  html: string,
  controllers: Record<string, ControllerConstructor>,
  words: Record<string, string> = {},
): Promise<Application> {
  await leave();
  document.body.innerHTML = `${html}<script type="application/json" id="words">${JSON.stringify(words)}</script>`;
  forgetWords();
  application = Application.start(document.documentElement);
  for (const [name, controller] of Object.entries(controllers)) application.register(name, controller);
  await settle();
  return application;
}

/** Empties the page first, so that every controller disconnects and takes its listeners with it. */
async function leave(): Promise<void> {
  document.body.replaceChildren();
  await settle();
  application?.stop();
}

/** Lets mutation observers and pending promises run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

export function one<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
}

export function press(key: string, target: EventTarget = document): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}
