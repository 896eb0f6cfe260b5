/** Layout of a strategy graph: its own positions where every node has one, else layers from left to right. */

export interface GraphNode {
  id: string;
  component: string;
  params?: Record<string, unknown>;
  at?: [number, number];
  label?: string;
  kind?: string;
  verdict?: string;
  counts?: Record<string, number>;
}

export interface GraphEdge {
  from: string;
  to: string;
  count?: number;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface Placed {
  node: GraphNode;
  x: number;
  y: number;
}

export const NODE = { width: 176, height: 58 };
const GAP = { x: 64, y: 26 };
const MARGIN = 20;

/** "n1:out" → "n1". */
export function nodeOf(port: string): string {
  return port.split(":")[0] ?? port;
}

/** Depth of each node = longest way from a node without inputs; a cycle (never valid) stops at the number of nodes. */
export function depths({ nodes, edges }: Graph): Map<string, number> {
  const depth = new Map(nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    let changed = false;
    for (const edge of edges) {
      const [from, to] = [nodeOf(edge.from), nodeOf(edge.to)];
      const least = (depth.get(from) ?? 0) + 1;
      if (depth.has(to) && (depth.get(to) as number) < least && least < nodes.length) {
        depth.set(to, least);
        changed = true;
      }
    }
    if (!changed) break;
  }
  return depth;
}

export function place(graph: Graph): Placed[] {
  if (graph.nodes.length && graph.nodes.every((node) => node.at)) return byOwnPositions(graph.nodes);
  const depth = depths(graph);
  const filled = new Map<number, number>();
  return graph.nodes.map((node) => {
    const column = depth.get(node.id) ?? 0;
    const row = filled.get(column) ?? 0;
    filled.set(column, row + 1);
    return { node, x: MARGIN + column * (NODE.width + GAP.x), y: MARGIN + row * (NODE.height + GAP.y) };
  });
}

function byOwnPositions(nodes: GraphNode[]): Placed[] {
  const left = Math.min(...nodes.map((node) => (node.at as [number, number])[0]));
  const top = Math.min(...nodes.map((node) => (node.at as [number, number])[1]));
  return nodes.map((node) => {
    const [x, y] = node.at as [number, number];
    return { node, x: x - left + MARGIN, y: y - top + MARGIN };
  });
}

export function sizeOf(placed: Placed[]): { width: number; height: number } {
  return {
    width: Math.max(0, ...placed.map(({ x }) => x)) + NODE.width + MARGIN,
    height: Math.max(0, ...placed.map(({ y }) => y)) + NODE.height + MARGIN,
  };
}

/** A curve from the right side of one node to the left side of the next. */
export function curve(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = Math.max(30, Math.abs(x2 - x1) / 2);
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}
