/** How any script shows a toast: an event that the toasts controller answers. */
export interface Toast {
  text: string;
  tone?: "success" | "info" | "warning" | "error";
  undo_url?: string;
  /** Called instead of posting to undo_url. */
  undo?: () => void | Promise<void>;
  seconds?: number;
}

export function toast(detail: Toast): void {
  document.body.dispatchEvent(new CustomEvent<Toast>("toast", { detail, bubbles: true }));
}

export function toastFailure(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast({ text: error instanceof Error ? error.message : String(error), tone: "error" });
}
