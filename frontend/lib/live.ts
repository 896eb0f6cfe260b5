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

/** For each filtered key of the summary the values that are let through; an empty filter lets everything through. */
export type Allowed = Record<string, string[]>;

/** Whether a message belongs to this part of the page: topic, kind, and for each filtered key one of its values. */
export function fits(message: LiveMessage, topic: string, kinds: string[], filter: Allowed): boolean {
  if (message.topic !== topic || !kinds.includes(message.kind)) return false;
  return Object.entries(filter).every(([key, allowed]) => allowed.includes(String(message.summary[key] ?? "")));
}

/** What the server sends: messages in order of `seq`, at the start the newest `seq`. A gap at the start cannot be
 * filled; a later one means that this connection was too slow: opened again, it is told what it missed. */
interface Envelope {
  pushes: unknown[];
  gap: boolean;
  hello?: number;
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === "object" && value !== null && Array.isArray((value as { pushes?: unknown }).pushes);
}

/** The text of a frame in raw deflate. */
async function inflated(data: ArrayBuffer): Promise<string> {
  const { body } = new Response(data);
  return body ? new Response(body.pipeThrough(new DecompressionStream("deflate-raw"))).text() : "";
}

export class LiveSocket {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private stopped = false;
  private resuming = false;
  private missed = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  /** Compressed frames are read one after the other; what comes meanwhile waits for its turn. */
  private reading: Promise<void> | null = null;
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
    const socket = this.open(this.address());
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.takeIn(socket, event.data);
    socket.onclose = (event) => this.closed(event.code);
  }

  private address(): string {
    const asked = new URLSearchParams();
    if (this.seq) asked.set("since", String(this.seq));
    if (typeof DecompressionStream !== "undefined") asked.set("deflate", "1");
    const query = asked.toString();
    return query ? `${this.url}?${query}` : this.url;
  }

  /** Text at once, compressed frames as soon as they are read: always in the order in which they came. */
  private takeIn(socket: WebSocket, data: unknown): void {
    if (typeof data === "string" && !this.reading) {
      this.received(data);
      return;
    }
    const before = this.reading ?? Promise.resolve();
    const turn = before.then(async () => {
      const text = typeof data === "string" ? data : await inflated(data as ArrayBuffer);
      if (this.socket === socket) this.received(text);
    });
    const reading = turn
      .catch(() => this.resume())
      .finally(() => {
        if (this.reading === reading) this.reading = null;
      });
    this.reading = reading;
  }

  /** Something was lost: open the connection again and ask for everything after the last number. */
  private resume(): void {
    if (this.stopped || !this.socket) return;
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.close(1000);
    clearTimeout(this.settle);
    this.timer = setTimeout(() => this.connect(), Math.random() * 1000);
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
    if (!value.gap) return;
    if (value.hello === undefined) this.resume();
    else this.events.gap();
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
