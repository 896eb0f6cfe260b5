import { Controller } from "@hotwired/stimulus";
import { toast } from "../lib/toasts";
import { t } from "../lib/words";

/** Copies a text and says so. */
export default class extends Controller<HTMLElement> {
  static override values = { text: String };
  declare readonly textValue: string;

  async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.textValue);
      toast({ text: t("copied"), tone: "success", seconds: 2 });
    } catch {
      toast({ text: t("copy_failed"), tone: "warning" });
    }
  }
}
