/** Making elements from data: text nodes only, addresses of our own site only. */

export type Data = Record<string, unknown>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  css = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (css) made.className = css;
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number> = {}, text = ""): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return made;
}

/** An icon of the sprite. Its name must also stand in a template or as icon="…" so that the build collects it. */
export function iconOf(name: string): SVGElement {
  const made = svg("svg", { class: "icon", "aria-hidden": "true" });
  made.append(svg("use", { href: `${document.documentElement.dataset["sprite"] ?? ""}#${name}` }));
  return made;
}

/** The address if it is one of our own site, else an empty string (javascript:, data: and foreign hosts are dropped). */
export function ownAddress(address: string): string {
  if (!address) return "";
  try {
    const url = new URL(address, location.href);
    return url.origin === location.origin && /^https?:$/.test(url.protocol) ? address : "";
  } catch {
    return "";
  }
}

/** Fills {names} of a pattern; each value is encoded unless the whole pattern is one name (then it is an address). */
export function fillAddress(pattern: string, data: Data): string {
  const whole = /^\{(\w+)\}$/.exec(pattern);
  if (whole) return ownAddress(word(data[whole[1] as string]));
  return ownAddress(pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(word(data[name]))));
}

export function word(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

const TONES: Record<string, string> = {};
for (const [tone, states] of Object.entries({
  green: "online up ok confirmed delivered running active hit_clear done",
  grey: "offline unknown skipped clear not_required stopped ended",
  red: "event urgent raised hit failed expired dead error lost",
  amber: "pending degraded retrying waiting unsure false_alarm not_analysed stale",
  blue: "selected info general updated",
})) {
  for (const state of states.split(" ")) TONES[state] = tone;
}

export function toneOf(state: string): string {
  return TONES[state] ?? "grey";
}

/** Copies a <template> and fills its data-text, data-href, data-src, data-time, data-tone and data-show. */
export function fillTemplate(template: HTMLTemplateElement, data: Data): HTMLElement {
  const made = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
  for (const part of [made, ...made.querySelectorAll<HTMLElement>("*")]) fillPart(part, data);
  return made;
}

function fillPart(part: HTMLElement, data: Data): void {
  const { text, href, src, time, tone, show } = part.dataset;
  if (text) part.textContent = word(data[text]);
  if (href) setOrDrop(part, "href", fillAddress(href, data));
  if (src) {
    setOrDrop(part, "src", fillAddress(src, data));
    if (!part.getAttribute("src")) part.hidden = true;
  }
  if (time) fillTime(part, word(data[time]));
  if (tone) part.classList.add(`state-${toneOf(word(data[tone]))}`);
  if (show && !word(data[show])) part.hidden = true;
}

function setOrDrop(part: HTMLElement, name: string, value: string): void {
  if (value) part.setAttribute(name, value);
  else part.removeAttribute(name);
}

function fillTime(part: HTMLElement, iso: string): void {
  if (!iso) return;
  part.setAttribute("datetime", iso);
  part.setAttribute("data-controller", "relative-time");
}

/** Whether the user is typing, so that single-key shortcuts must stay silent. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
