import { Controller } from "@hotwired/stimulus";
import { LiveVideo, type Trouble } from "../islands/live_video";
import { type Snapshot, SnapshotLoop } from "../lib/snapshots";
import { Watermark } from "../lib/watermark";
import { t } from "../lib/words";

const FIRST_PICTURE_S = 12;
const SLOWEST_RETRY_S = 60;

/** Live picture of one camera. When it cannot play it shows refreshed snapshots and says why; old pictures say so. */
export default class extends Controller<HTMLElement> {
  static override targets = ["video", "picture", "mode", "delay", "rate", "message", "watermark"];
  static override values = {
    url: String,
    type: { type: String, default: "mpegts" },
    snapshotUrl: String,
    interval: { type: Number, default: 5 },
    watermark: String,
    reason: String,
    stale: { type: Number, default: 10 },
  };
  declare readonly videoTarget: HTMLVideoElement;
  declare readonly pictureTarget: HTMLImageElement;
  declare readonly modeTarget: HTMLElement;
  declare readonly delayTarget: HTMLElement;
  declare readonly rateTarget: HTMLElement;
  declare readonly messageTarget: HTMLElement;
  declare readonly watermarkTarget: HTMLElement;
  declare readonly hasWatermarkTarget: boolean;
  declare readonly urlValue: string;
  declare readonly typeValue: string;
  declare readonly snapshotUrlValue: string;
  declare readonly intervalValue: number;
  declare readonly watermarkValue: string;
  declare readonly reasonValue: string;
  declare readonly staleValue: number;
  private live: LiveVideo | null = null;
  private snapshots: SnapshotLoop | null = null;
  private watermark: Watermark | null = null;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private progress = 0;
  private progressAt = 0;
  private taken: Date | null = null;
  private reason = "";

  override connect(): void {
    if (this.hasWatermarkTarget && this.watermarkValue) {
      const stop = (): void => this.halt(t("player_watermark"));
      this.watermark = new Watermark(this.watermarkTarget, this.watermarkValue, stop);
    }
    this.begin();
  }

  override disconnect(): void {
    this.stopAll();
    this.watermark?.stop();
  }

  toggle(): void {
    if (this.element.dataset["mode"] === "paused") this.begin();
    else this.halt(t("player_paused"), "paused");
  }

  fullscreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.element.requestFullscreen();
  }

  private begin(): void {
    this.stopAll();
    this.watchdog = setInterval(() => this.checkAge(), 1000);
    if (!this.urlValue) this.fallBack(this.reasonValue || t("player_no_url"));
    else if (!LiveVideo.supported()) this.fallBack(t("player_unsupported"));
    else this.startLive();
  }

  private startLive(): void {
    this.mode("connecting", t("player_connecting"));
    this.progressAt = Date.now();
    this.progress = 0;
    this.live = new LiveVideo(this.videoTarget, {
      playing: () => this.playing(),
      figures: (delay, rate) => this.figures(delay, rate),
      trouble: (kind, detail) => this.trouble(kind, detail),
    });
    this.videoTarget.hidden = false;
    this.live.start(this.urlValue, this.typeValue);
  }

  private playing(): void {
    this.tries = 0;
    this.snapshots?.stop();
    this.snapshots = null;
    this.pictureTarget.hidden = true;
    this.mode("live", t("player_live"));
    this.say("");
  }

  private figures(delay: number, rate: number): void {
    if (this.videoTarget.currentTime !== this.progress) {
      this.progress = this.videoTarget.currentTime;
      this.progressAt = Date.now();
    }
    if (this.element.dataset["mode"] !== "live") return;
    this.delayTarget.textContent = t("player_delay", { seconds: delay.toFixed(1) });
    this.rateTarget.textContent = `${Math.round(rate * 8)} kbit/s`;
  }

  private trouble(kind: Trouble, detail: string): void {
    this.live?.stop();
    this.live = null;
    this.fallBack(t(`player_${kind}`, { codec: detail }));
    if (kind === "network") this.tryAgain();
  }

  private tryAgain(): void {
    clearTimeout(this.retry);
    this.tries += 1;
    const seconds = Math.min(SLOWEST_RETRY_S, 3 * 2 ** (this.tries - 1));
    this.retry = setTimeout(() => this.startLive(), seconds * 1000);
  }

  private fallBack(reason: string): void {
    this.reason = reason;
    this.videoTarget.hidden = true;
    this.delayTarget.textContent = "";
    this.rateTarget.textContent = "";
    this.mode("snapshots", t("player_snapshots"));
    this.say(reason);
    if (!this.snapshotUrlValue || this.snapshots) return;
    this.snapshots = new SnapshotLoop(
      this.snapshotUrlValue,
      this.intervalValue,
      (snapshot) => this.show(snapshot),
      (status) => this.snapshotFailed(status),
    );
    this.snapshots.start();
  }

  private show({ url, taken }: Snapshot): void {
    this.pictureTarget.src = url;
    this.pictureTarget.hidden = false;
    this.taken = taken;
    this.say(this.reason);
  }

  private snapshotFailed(status: number): void {
    if (status === 403 || status === 404) this.halt(t("player_refused"));
    else if (this.pictureTarget.hidden) this.say(`${this.reason} ${t("player_no_snapshot")}`.trim());
  }

  /** A live picture that does not move, or a snapshot that is old, is never shown as if it were now. */
  private checkAge(): void {
    const mode = this.element.dataset["mode"];
    const still = (Date.now() - this.progressAt) / 1000;
    if (mode === "connecting" && still > FIRST_PICTURE_S) this.trouble("network", "timeout");
    const age = mode === "live" ? still : mode === "snapshots" && this.taken ? this.snapshotAge(this.taken) : 0;
    const stale = age > this.staleValue;
    this.element.classList.toggle("is-stale", stale);
    if (stale) this.say(t("player_stale", { seconds: Math.round(age) }));
    else if (mode === "live") this.say("");
    if (mode === "live" && still > this.staleValue * 3) this.trouble("network", "stalled");
  }

  /** Snapshots are expected to be as old as their interval. */
  private snapshotAge(taken: Date): number {
    return Math.max(0, (Date.now() - taken.getTime()) / 1000 - this.intervalValue * 2);
  }

  private halt(reason: string, mode = "stopped"): void {
    this.stopAll();
    if (mode === "stopped") {
      this.videoTarget.hidden = true;
      this.pictureTarget.hidden = true;
    }
    this.mode(mode, t(mode === "paused" ? "player_paused" : "player_stopped"));
    this.say(reason);
  }

  private stopAll(): void {
    clearInterval(this.watchdog);
    clearTimeout(this.retry);
    this.live?.stop();
    this.live = null;
    this.snapshots?.stop();
    this.snapshots = null;
  }

  private mode(mode: string, text: string): void {
    this.element.dataset["mode"] = mode;
    this.modeTarget.textContent = text;
  }

  private say(text: string): void {
    if (this.messageTarget.textContent !== text) this.messageTarget.textContent = text;
  }
}
