/** The workbench's queue: which event is judged now, which are fetched ahead. No DOM in here. */

export interface QueueItem {
  id: string;
  panelUrl: string;
  decideUrl: string;
  lockUrl: string;
}

export type Verdict = "confirmed" | "false_alarm" | "unsure" | "skipped";

export const KEYS: Record<string, string> = {
  a: "confirmed",
  x: "false_alarm",
  u: "unsure",
  s: "skipped",
  z: "undo",
  j: "next",
  k: "previous",
  " ": "zoom",
  f: "fix",
};

/** Keeps fetched panels: the current one, the next few and the last few. Fetching is never done twice. */
export class PanelCache {
  private readonly panels = new Map<string, Promise<string>>();

  constructor(
    private readonly fetchPanel: (url: string) => Promise<string>,
    private readonly ready: (html: string) => void = () => undefined,
    private readonly kept = 12,
  ) {}

  get(item: QueueItem): Promise<string> {
    const known = this.panels.get(item.id);
    if (known) return known;
    const panel = this.fetchPanel(item.panelUrl);
    this.panels.set(item.id, panel);
    panel.then(this.ready, () => this.panels.delete(item.id));
    while (this.panels.size > this.kept) this.panels.delete(this.panels.keys().next().value as string);
    return panel;
  }

  forget(id: string): void {
    this.panels.delete(id);
  }
}

/** Addresses of the pictures in a panel, so that they are in the browser's cache before the panel is shown. */
export function picturesIn(html: string): string[] {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  return [...body.querySelectorAll("img[src]")].map((image) => image.getAttribute("src") as string);
}
