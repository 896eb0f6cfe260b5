import { Controller } from "@hotwired/stimulus";
import type { EChartsType } from "echarts/core";
import { init } from "../islands/echarts";
import { type Figures, isEmpty, optionsOf } from "../lib/chart_options";
import { ownAddress } from "../lib/dom";
import { getJson } from "../lib/http";
import { t } from "../lib/words";

/** Bars or lines from a JSON block or a URL; every bar leads to the list behind it. */
export default class extends Controller<HTMLElement> {
  static override values = { source: String, url: String };
  declare readonly sourceValue: string;
  declare readonly urlValue: string;
  private chart: EChartsType | null = null;
  private figures: Figures | null = null;
  private observer: ResizeObserver | null = null;
  private readonly paint = (): void => {
    if (!this.chart || !this.figures) return;
    const style = getComputedStyle(document.documentElement);
    this.chart.setOption(optionsOf(this.figures, (name) => style.getPropertyValue(name).trim()), true);
  };

  override async connect(): Promise<void> {
    this.element.classList.add("chart");
    try {
      this.figures = await this.load();
    } catch {
      this.element.textContent = t("chart_failed");
      return;
    }
    if (!this.element.isConnected || !this.figures || isEmpty(this.figures)) {
      this.element.textContent = t("chart_empty");
      return;
    }
    this.chart = init(this.element);
    this.chart.on("click", ({ dataIndex }) => this.follow(dataIndex));
    this.observer = new ResizeObserver(() => this.chart?.resize());
    this.observer.observe(this.element);
    window.addEventListener("theme:changed", this.paint);
    this.paint();
  }

  override disconnect(): void {
    window.removeEventListener("theme:changed", this.paint);
    this.observer?.disconnect();
    this.chart?.dispose();
    this.chart = null;
  }

  private async load(): Promise<Figures | null> {
    if (this.urlValue) return getJson<Figures>(this.urlValue);
    const block = document.getElementById(this.sourceValue);
    return block?.textContent ? (JSON.parse(block.textContent) as Figures) : null;
  }

  private follow(index: number): void {
    const address = ownAddress(this.figures?.links?.[index] ?? "");
    if (address) location.assign(address);
  }
}
