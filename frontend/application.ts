/** Starts Stimulus. Small controllers are there at once; a heavy one is fetched when its first element appears. */
import { Application, type ControllerConstructor } from "@hotwired/stimulus";
import badge from "./controllers/badge_controller";
import bulk from "./controllers/bulk_controller";
import copy from "./controllers/copy_controller";
import filters from "./controllers/filters_controller";
import liveSocket from "./controllers/live_socket_controller";
import menu from "./controllers/menu_controller";
import rail from "./controllers/rail_controller";
import refresh from "./controllers/refresh_controller";
import relativeTime from "./controllers/relative_time_controller";
import remove from "./controllers/remove_controller";
import searchFocus from "./controllers/search_focus_controller";
import shell from "./controllers/shell_controller";
import tableColumns from "./controllers/table_columns_controller";
import theme from "./controllers/theme_controller";
import toastOne from "./controllers/toast_controller";
import toasts from "./controllers/toasts_controller";

const NOW: Record<string, ControllerConstructor> = {
  badge,
  bulk,
  copy,
  filters,
  "live-socket": liveSocket,
  menu,
  rail,
  refresh,
  chain: refresh,
  "relative-time": relativeTime,
  remove,
  "search-focus": searchFocus,
  shell,
  "table-columns": tableColumns,
  theme,
  toast: toastOne,
  toasts,
};

type Loader = () => Promise<{ default: ControllerConstructor }>;
const LATER: Record<string, Loader> = {
  chart: () => import("./controllers/chart_controller"),
  "event-stream": () => import("./controllers/event_stream_controller"),
  "file-drop": () => import("./controllers/file_drop_controller"),
  "json-view": () => import("./controllers/json_view_controller"),
  map: () => import("./controllers/map_controller"),
  picture: () => import("./controllers/picture_controller"),
  player: () => import("./controllers/player_controller"),
  "region-editor": () => import("./controllers/region_editor_controller"),
  review: () => import("./controllers/review_controller"),
  "strategy-view": () => import("./controllers/strategy_view_controller"),
  "stream-test": () => import("./controllers/stream_test_controller"),
};

export function start(root: HTMLElement = document.documentElement): Application {
  const application = Application.start(root);
  for (const [name, controller] of Object.entries(NOW)) application.register(name, controller);
  const waiting = new Map(Object.entries(LATER));
  const look = (within: Element): void => {
    for (const one of [within, ...within.querySelectorAll("[data-controller]")]) {
      for (const name of (one.getAttribute("data-controller") ?? "").split(/\s+/)) {
        const load = waiting.get(name);
        if (!load) continue;
        waiting.delete(name);
        void load().then((module) => application.register(name, module.default));
      }
    }
  };
  look(root);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node instanceof Element) look(node);
  }).observe(root, { childList: true, subtree: true });
  return application;
}
