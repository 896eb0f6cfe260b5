import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LiveEvents, type LiveMessage, LiveSocket, isLiveMessage, retryDelay } from "./live";

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closedWith = 0;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  close(code: number): void {
    this.closedWith = code;
  }
  say(value: unknown): void {
    const frame = typeof value === "string" || "pushes" in (value as object) ? value : { pushes: [value], gap: false };
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
}

function message(seq: number): LiveMessage {
  return { seq, topic: "events", kind: "raised", object: `e${seq}`, summary: {} };
}

let heard: LiveMessage[];
let states: string[];
let gaps: number;
let filled: number[];
let live: LiveSocket;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  [heard, states, gaps, filled] = [[], [], 0, []];
  const events: LiveEvents = {
    message: (one) => heard.push(one),
    state: (state) => states.push(state),
    gap: () => {
      gaps += 1;
    },
    filled: (count) => filled.push(count),
  };
  live = new LiveSocket("ws://x/ws/live", events, (url) => new FakeSocket(url) as unknown as WebSocket);
  live.start();
});
afterEach(() => vi.useRealTimers());

const last = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;

test("passes messages on, once each, and remembers the last seq", () => {
  last().onopen?.();
  last().say(message(5));
  last().say(message(5));
  last().say(message(6));
  expect(heard.map(({ seq }) => seq)).toEqual([5, 6]);
  expect(live.seq).toBe(6);
});

test("ignores what is no message", () => {
  for (const text of ["not json", "null", "[]", '{"seq":"7"}', '{"seq":7,"topic":"t","kind":"k"}']) last().say(text);
  expect(heard).toEqual([]);
});

test("comes back with since and says how much was filled in", () => {
  last().onopen?.();
  last().say(message(5));
  last().onclose?.({ code: 1006 });
  expect(states.at(-1)).toBe("lost");
  vi.advanceTimersByTime(1_000);
  expect(new URL(last().url).searchParams.get("since")).toBe("5");
  last().onopen?.();
  last().say(message(6));
  last().say(message(7));
  vi.advanceTimersByTime(2_000);
  expect(filled).toEqual([2]);
  expect(heard.map(({ seq }) => seq)).toEqual([5, 6, 7]);
});

test("tells of a hole that the server could not fill, and goes on from there", () => {
  last().say({ hello: 80, pushes: [message(90)], gap: true });
  expect(gaps).toBe(1);
  expect(live.seq).toBe(90);
});

test("opens again with its last number when it was too slow, and hears nothing between", () => {
  last().say({ hello: 4, pushes: [message(5)], gap: false });
  const slow = last();
  slow.say({ pushes: [], gap: true });
  slow.say(message(9));
  expect(live.seq).toBe(5);
  vi.advanceTimersByTime(1_000);
  expect(FakeSocket.all).toHaveLength(2);
  expect(new URL(last().url).searchParams.get("since")).toBe("5");
  last().say({ hello: 9, pushes: [message(6), message(9)], gap: false });
  expect(heard.map(({ seq }) => seq)).toEqual([5, 6, 9]);
  expect(gaps).toBe(0);
});

test("reads compressed frames, in order with the others", async () => {
  vi.useRealTimers();
  const compressed = (value: unknown): ArrayBuffer => {
    const made = deflateRawSync(JSON.stringify(value));
    return made.buffer.slice(made.byteOffset, made.byteOffset + made.byteLength) as ArrayBuffer;
  };
  expect(new URL(last().url).searchParams.get("deflate")).toBe("1");
  last().say(message(5));
  last().onmessage?.({ data: compressed({ pushes: [message(6), message(7)], gap: false }) });
  last().say(message(8));
  last().onmessage?.({ data: compressed({ pushes: [message(9)], gap: false }) });
  expect(heard.map(({ seq }) => seq)).toEqual([5]);
  await vi.waitFor(() => expect(heard.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9]));
  last().say(message(10));
  await vi.waitFor(() => expect(live.seq).toBe(10));
});

test("a frame that cannot be read is a gap", async () => {
  vi.useRealTimers();
  last().say(message(5));
  last().onmessage?.({ data: new ArrayBuffer(3) });
  await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(2), 3_000);
  expect(new URL(last().url).searchParams.get("since")).toBe("5");
});

test.each([4401, 4403])("does not try again after %i", (code) => {
  last().onclose?.({ code });
  vi.advanceTimersByTime(120_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(states.at(-1)).toBe("refused");
});

test("stops for good when told to", () => {
  const socket = last();
  live.stop();
  expect(socket.closedWith).toBe(1000);
  socket.onclose?.({ code: 1000 });
  vi.advanceTimersByTime(120_000);
  expect(FakeSocket.all).toHaveLength(1);
});

test.each([
  [0, 0, 0.5],
  [0, 1, 1],
  [3, 0, 4],
  [3, 1, 8],
  [20, 1, 30],
])("waits for attempt %i with chance %d: %d s", (attempt, chance, seconds) => {
  expect(retryDelay(attempt, chance)).toBe(seconds);
});

test("knows a message by its fields", () => {
  expect(isLiveMessage(message(1))).toBe(true);
  expect(isLiveMessage({ ...message(1), summary: null })).toBe(false);
});
