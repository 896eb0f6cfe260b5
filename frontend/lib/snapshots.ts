/** Refreshed snapshots: one request at a time, the picture's own time from the server where it says it; 204 = none yet. */
import { activityHeaders } from "./activity";

export interface Snapshot {
  url: string;
  /** When the picture was taken: X-Captured-At, else Last-Modified, else now. */
  taken: Date;
}

export function takenAt(headers: Headers, now: Date = new Date()): Date {
  const said = headers.get("X-Captured-At") ?? headers.get("Last-Modified");
  const moment = said ? new Date(said) : now;
  return Number.isNaN(moment.getTime()) ? now : moment;
}

export class SnapshotLoop {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private last = "";

  constructor(
    private readonly url: string,
    private readonly seconds: number,
    private readonly shown: (snapshot: Snapshot) => void,
    private readonly failed: (status: number) => void,
  ) {}

  start(): void {
    this.running = true;
    void this.next();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    if (this.last) URL.revokeObjectURL(this.last);
    this.last = "";
  }

  private async next(): Promise<void> {
    const status = await this.load();
    if (!this.running) return;
    if (status === 403 || status === 404) return;
    this.timer = setTimeout(() => void this.next(), this.seconds * 1000 * (document.hidden ? 4 : 1));
  }

  private async load(): Promise<number> {
    try {
      const response = await fetch(this.url, {
        credentials: "same-origin",
        cache: "no-store",
        headers: activityHeaders(true),
      });
      if (!this.running) return 0;
      if (!response.ok || response.status === 204) {
        this.failed(response.status);
        return response.status;
      }
      const url = URL.createObjectURL(await response.blob());
      this.shown({ url, taken: takenAt(response.headers) });
      if (this.last) URL.revokeObjectURL(this.last);
      this.last = url;
      return 200;
    } catch {
      if (this.running) this.failed(0);
      return 0;
    }
  }
}
