import { Controller } from "@hotwired/stimulus";
import { svg } from "../lib/dom";
import { type Graph, NODE, type Placed, curve, nodeOf, place, sizeOf } from "../lib/graph";

const LONGEST = 22;

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A strategy's graph, read only: components, their counts or verdicts, edges with counts. */
export default class extends Controller<HTMLElement> {
  static override values = { source: String };
  declare readonly sourceValue: string;

  override connect(): void {
    const block = document.getElementById(this.sourceValue);
    if (!block?.textContent) return;
    const graph = JSON.parse(block.textContent) as Graph;
    this.element.classList.add("graph");
    this.element.replaceChildren(this.draw(graph));
  }

  private draw(graph: Graph): SVGElement {
    const placed = place(graph);
    const { width, height } = sizeOf(placed);
    const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group" });
    const arrow = svg("marker", { id: "graph-arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" });
    arrow.append(svg("path", { d: "M0,0 L8,4 L0,8 z", class: "graph-arrow" }));
    const definitions = svg("defs");
    definitions.append(arrow);
    drawing.append(definitions);
    const found = new Map(placed.map((one) => [one.node.id, one]));
    for (const edge of graph.edges) {
      const [from, to] = [found.get(nodeOf(edge.from)), found.get(nodeOf(edge.to))];
      if (from && to) drawing.append(...this.edge(from, to, edge.count));
    }
    for (const one of placed) drawing.append(this.node(one));
    return drawing;
  }

  private edge(from: Placed, to: Placed, count?: number): SVGElement[] {
    const drawn = [svg("path", { d: curve(from, to), class: "graph-edge", "marker-end": "url(#graph-arrow)" })];
    if (count !== undefined) {
      const [x, y] = [(from.x + NODE.width + to.x) / 2, (from.y + to.y + NODE.height) / 2 - 6];
      drawn.push(svg("text", { x, y, class: "graph-small", "text-anchor": "middle" }, String(count)));
    }
    return drawn;
  }

  private node({ node, x, y }: Placed): SVGElement {
    const verdict = node.verdict ? ` verdict-${node.verdict === "stopped" || node.verdict === "stop" ? "stopped" : "passed"}` : "";
    const label = node.label ?? node.component;
    const group = svg("g", {
      class: `graph-node${verdict}`,
      transform: `translate(${x},${y})`,
      tabindex: 0,
      role: "button",
      "aria-label": label,
    });
    const below = node.counts
      ? Object.entries(node.counts).map(([name, count]) => `${name} ${count}`).join(" · ")
      : (node.verdict ?? node.component);
    group.append(
      svg("rect", { width: NODE.width, height: NODE.height, rx: 6 }),
      svg("rect", { width: 5, height: NODE.height, rx: 2, class: "graph-band" }),
      svg("text", { x: 16, y: 24 }, short(label)),
      svg("text", { x: 16, y: 43, class: "graph-small" }, short(below)),
    );
    const choose = (): void => this.select(group, node.id);
    group.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") choose();
    });
    return group;
  }

  private select(group: SVGElement, id: string): void {
    this.element.querySelectorAll(".is-selected").forEach((other) => other.classList.remove("is-selected"));
    group.classList.add("is-selected");
    for (const panel of document.querySelectorAll<HTMLElement>("[data-strategy-node]")) {
      panel.hidden = panel.dataset["strategyNode"] !== id;
    }
    this.dispatch("selected", { detail: { id } });
  }
}
