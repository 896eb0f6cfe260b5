/** mpegts.js around one <video>: MPEG-TS or HTTP-FLV from a WebSocket or an HTTP address, about half a second behind. */
import mpegts from "mpegts.js";

export type Trouble = "unsupported" | "codec" | "network";

export interface LiveVideoEvents {
  playing(): void;
  /** Seconds behind the newest picture and KB/s received. */
  figures(delay: number, rate: number): void;
  trouble(kind: Trouble, detail: string): void;
}

export class LiveVideo {
  private player: mpegts.Player | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private rate = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: LiveVideoEvents,
  ) {}

  static supported(): boolean {
    return mpegts.getFeatureList().mseLivePlayback;
  }

  start(url: string, type: string): void {
    mpegts.LoggingControl.enableAll = false;
    const address = new URL(url, location.href);
    if (url.startsWith("/ws/") || /^wss?:/.test(url)) {
      address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    }
    const player = mpegts.createPlayer(
      { type, isLive: true, hasAudio: false, url: address.href },
      {
        enableWorker: false,
        enableStashBuffer: false,
        liveBufferLatencyChasing: true,
        liveBufferLatencyMaxLatency: 1.5,
        liveBufferLatencyMinRemain: 0.3,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: 30,
        autoCleanupMinBackwardDuration: 10,
      },
    );
    this.player = player;
    player.on(mpegts.Events.ERROR, (kind: string, detail: string) => this.failed(kind, detail));
    player.on(mpegts.Events.LOADING_COMPLETE, () => this.events.trouble("network", "ended"));
    player.on(mpegts.Events.STATISTICS_INFO, (info: { speed?: number }) => {
      this.rate = info.speed ?? 0;
    });
    player.attachMediaElement(this.video);
    player.load();
    this.video.addEventListener("playing", this.playing);
    void Promise.resolve(player.play()).catch(() => undefined);
    this.timer = setInterval(() => this.events.figures(this.delay(), this.rate), 1000);
  }

  stop(): void {
    clearInterval(this.timer);
    this.video.removeEventListener("playing", this.playing);
    this.player?.destroy();
    this.player = null;
  }

  private readonly playing = (): void => this.events.playing();

  private delay(): number {
    const { buffered, currentTime } = this.video;
    return buffered.length ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
  }

  private failed(kind: string, detail: string): void {
    const codec = kind === mpegts.ErrorTypes.MEDIA_ERROR;
    this.events.trouble(codec ? "codec" : "network", String(detail));
  }
}
