import { Controller } from "@hotwired/stimulus";
import { csrfToken } from "../lib/http";
import { t } from "../lib/words";

export function readableSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

/** Why a file cannot be sent, or an empty string. */
export function objection(file: { name: string; size: number }, limit: number, kinds: string[]): string {
  if (limit && file.size > limit) {
    return t("file_too_large", { size: readableSize(file.size), limit: readableSize(limit) });
  }
  const fits = !kinds.length || kinds.some((kind) => file.name.toLowerCase().endsWith(kind));
  return fits ? "" : t("file_wrong_kind", { kinds: kinds.join(" ") });
}

/** A zone to drop a file on. It is checked for size and kind, then its form is sent with progress. */
export default class extends Controller<HTMLElement> {
  static override targets = ["input", "zone", "progress", "message"];
  static override values = { limit: Number, kinds: String };
  declare readonly inputTarget: HTMLInputElement;
  declare readonly zoneTarget: HTMLElement;
  declare readonly progressTarget: HTMLProgressElement;
  declare readonly messageTarget: HTMLElement;
  declare readonly limitValue: number;
  declare readonly kindsValue: string;
  private request: XMLHttpRequest | null = null;
  private readonly over = (event: DragEvent): void => {
    event.preventDefault();
    this.zoneTarget.classList.toggle("is-over", event.type === "dragover");
  };
  private readonly dropped = (event: DragEvent): void => {
    this.over(event);
    if (!event.dataTransfer?.files.length) return;
    this.inputTarget.files = event.dataTransfer.files;
    this.chosen();
  };
  private readonly chosen = (): void => {
    const [file] = this.inputTarget.files ?? [];
    if (file) this.say(this.objection(file) || `${file.name} · ${readableSize(file.size)}`);
  };
  private readonly submitted = (event: SubmitEvent): void => {
    const form = event.currentTarget as HTMLFormElement;
    const [file] = this.inputTarget.files ?? [];
    if (!file) return;
    event.preventDefault();
    const reason = this.objection(file);
    if (reason) this.say(reason);
    else this.send(form);
  };

  override connect(): void {
    this.zoneTarget.addEventListener("dragover", this.over);
    this.zoneTarget.addEventListener("dragleave", this.over);
    this.zoneTarget.addEventListener("drop", this.dropped);
    this.inputTarget.addEventListener("change", this.chosen);
    this.form()?.addEventListener("submit", this.submitted);
  }

  override disconnect(): void {
    this.form()?.removeEventListener("submit", this.submitted);
    this.request?.abort();
  }

  private form(): HTMLFormElement | null {
    return this.element.closest("form") ?? this.element.querySelector("form");
  }

  private objection(file: File): string {
    return objection(file, this.limitValue, this.kindsValue.split(",").map((kind) => kind.trim()).filter(Boolean));
  }

  private send(form: HTMLFormElement): void {
    const request = new XMLHttpRequest();
    this.request = request;
    this.progressTarget.hidden = false;
    request.upload.onprogress = ({ loaded, total }) => this.progress(loaded, total);
    request.onload = () => this.answered(request);
    request.onerror = () => this.fail(t("network_failed"));
    request.open("POST", form.action);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "text/html");
    request.send(new FormData(form));
  }

  private progress(loaded: number, total: number): void {
    const percent = total ? Math.floor((loaded / total) * 100) : 0;
    this.progressTarget.max = 100;
    this.progressTarget.value = percent;
    this.say(percent < 100 ? t("uploading", { percent }) : t("upload_checking"));
  }

  /** A redirect was followed: go there. The same page again (a form with errors): show its main part. */
  private answered(request: XMLHttpRequest): void {
    this.dispatch("done", { detail: { status: request.status } });
    if (request.status >= 500) this.fail(t("request_failed", { status: request.status }));
    else if (new URL(request.responseURL).pathname !== location.pathname) location.assign(request.responseURL);
    else {
      const main = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("content");
      if (main) document.getElementById("content")?.replaceChildren(...main.childNodes);
      else this.fail(t("request_failed", { status: request.status }));
    }
  }

  private fail(text: string): void {
    this.progressTarget.hidden = true;
    this.say(text);
  }

  private say(text: string): void {
    this.messageTarget.textContent = text;
  }
}
