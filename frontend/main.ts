import "./styles/main.css";
import htmx from "htmx.org";
import { start } from "./application";
import { activityHeaders, watchActivity } from "./lib/activity";
import { t } from "./lib/words";
import { csrfToken } from "./lib/http";
import { toast } from "./lib/toasts";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;

document.addEventListener("htmx:configRequest", (event) => {
  const { headers } = (event as CustomEvent<{ headers: Record<string, string> }>).detail;
  Object.assign(headers, activityHeaders(), { "X-CSRFToken": csrfToken() });
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  const id = xhr.getResponseHeader("X-Request-Id");
  const where = id ? ` ${t("error_id", { id })}` : "";
  toast({ text: t("request_failed", { status: xhr.status }) + where, tone: "error", seconds: 15 });
});
document.addEventListener("htmx:sendError", () => toast({ text: t("network_failed"), tone: "error" }));

watchActivity();
start();
