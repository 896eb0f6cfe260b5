/** Whether somebody is here: a request made while nobody touched the page for a minute says so, and keeps no session alive. */

const PRESENT_MS = 60_000;
let touched = Date.now();

/** Listens for hands on the page; called once. */
export function watchActivity(target: EventTarget = window): void {
  for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    target.addEventListener(kind, () => (touched = Date.now()), { capture: true, passive: true });
  }
}

/** Headers of a request: marked as made by the page itself when nobody is here, or always with `byItself`. */
export function activityHeaders(byItself = false): Record<string, string> {
  return byItself || Date.now() - touched > PRESENT_MS ? { "X-Background": "1" } : {};
}
