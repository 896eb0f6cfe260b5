/** The page's one WebSocket: typed messages, resume after a break, jitter between tries. No DOM in here. */

export interface LiveMessage {
  seq: number;
  topic: string;
  kind: string;
  object: string;
  summary: Record<string, unknown>;
}

export type LiveState = "connecting" | "open" | "lost" | "refused";

export interface LiveEvents {
  message(message: LiveMessage): void;
  /** `retryIn` in seconds where another try is planned. */
  state(state: LiveState, retryIn: number): void;
  /** The server could not fill the hole after a break. */
  gap(): void;
  /** The connection is back and the server sent `count` messages that were missed. */
  filled(count: number): void;
}

/** Close codes after which trying again is pointless: not logged in, not allowed, foreign origin. */
const REFUSED = new Set([4401, 4403]);
const SLOWEST = 30;

/** Seconds until try number `attempt` (0 first): doubling to 30 s, half of it by chance, so that a city of browsers
 * does not come back in the same instant. */
export function retryDelay(attempt: number, chance: number = Math.random()): number {
  const full = Math.min(SLOWEST, 2 ** attempt);
  return full / 2 + (full / 2) * chance;
}

export function isLiveMessage(value: unknown): value is LiveMessage {
  if (typeof value !== "object" || value === null) return false;
  const message = value as Record<string, unknown>;
  return (
    typeof message["seq"] === "number" &&
    typeof message["topic"] === "string" &&
    typeof message["kind"] === "string" &&
    typeof message["summary"] === "object" &&
    message["summary"] !== null
  );
}

/** What the server sends: messages in order of `seq`, whether some were lost, and at the start the newest `seq`. */
interface Envelope {
  pushes: unknown[];
  gap: boolean;
  hello?: number;
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === "object" && value !== null && Array.isArray((value as { pushes?: unknown }).pushes);
}

export class LiveSocket {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private stopped = false;
  private resuming = false;
  private missed = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  seq = 0;

  constructor(
    private readonly url: string,
    private readonly events: LiveEvents,
    private readonly open: (url: string) => WebSocket = (url) => new WebSocket(url),
  ) {}

  start(): void {
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.settle);
    this.socket?.close(1000);
    this.socket = null;
  }

  private connect(): void {
    clearTimeout(this.timer);
    this.events.state("connecting", 0);
    this.resuming = this.seq > 0;
    this.missed = 0;
    const socket = this.open(this.seq ? `${this.url}?since=${this.seq}` : this.url);
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.received(String(event.data));
    socket.onclose = (event) => this.closed(event.code);
  }

  private opened(): void {
    this.events.state("open", 0);
    if (!this.resuming) return;
    this.settle = setTimeout(() => {
      this.resuming = false;
      if (this.missed) this.events.filled(this.missed);
    }, 1500);
  }

  private received(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    if (!isEnvelope(value)) return;
    this.attempt = 0;
    if (value.hello !== undefined && this.seq === 0) this.seq = value.hello;
    for (const push of value.pushes) this.take(push);
    if (value.gap) this.events.gap();
  }

  private take(push: unknown): void {
    if (!isLiveMessage(push) || push.seq <= this.seq) return;
    this.seq = push.seq;
    if (this.resuming) this.missed += 1;
    this.events.message(push);
  }

  private closed(code: number): void {
    clearTimeout(this.settle);
    if (this.stopped) return;
    if (REFUSED.has(code)) {
      this.events.state("refused", 0);
      return;
    }
    const delay = retryDelay(this.attempt);
    this.attempt += 1;
    this.events.state("lost", Math.round(delay));
    this.timer = setTimeout(() => this.connect(), delay * 1000);
  }
}
