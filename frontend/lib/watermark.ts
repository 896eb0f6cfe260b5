/** The moving watermark. Taking its layer away, emptying it or hiding it stops what it protects. */

const STEP_MS = 15_000;

export class Watermark {
  private readonly observer: MutationObserver;
  private readonly parent: Element | null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly layer: HTMLElement,
    private readonly text: string,
    private readonly removed: () => void,
  ) {
    this.parent = layer.parentElement;
    layer.textContent = text;
    this.observer = new MutationObserver(() => this.check());
    this.move();
    this.timer = setInterval(() => {
      this.check();
      this.move();
    }, STEP_MS);
    if (this.parent) this.watch(this.parent);
  }

  stop(): void {
    clearInterval(this.timer);
    this.observer.disconnect();
  }

  private watch(parent: Element): void {
    this.observer.observe(parent, {
      childList: true,
      subtree: true,
      characterData: true,
      attributes: true,
      attributeFilter: ["hidden", "class", "style"],
    });
  }

  private check(): void {
    if (this.intact()) return;
    this.stop();
    this.removed();
  }

  private intact(): boolean {
    const style = getComputedStyle(this.layer);
    return (
      this.layer.isConnected &&
      this.layer.parentElement === this.parent &&
      this.layer.textContent === this.text &&
      !this.layer.hidden &&
      style.display !== "none" &&
      style.visibility !== "hidden" &&
      style.opacity !== "0"
    );
  }

  private move(): void {
    const [x, y] = [5 + Math.random() * 55, 8 + Math.random() * 76];
    this.layer.style.left = `${x}%`;
    this.layer.style.top = `${y}%`;
  }
}
