import { beforeEach, expect, test } from "vitest";
import { one, page } from "../testing/page";
import bulk from "./bulk_controller";
import tableColumns from "./table_columns_controller";

const PAGE = `
  <div data-controller="table-columns bulk" data-table-columns-key-value="cameras">
    <form data-bulk-target="bar" hidden><span data-bulk-target="count"></span><button type="button" data-action="bulk#clear"></button></form>
    <div data-table-columns-target="chooser"></div>
    <table><thead><tr><th><input type="checkbox" data-bulk-target="all" data-action="bulk#all"></th>
      <th data-column="name">Name</th><th data-column="code" data-column-hidden>Code</th></tr></thead>
    <tbody>${[1, 2, 3, 4]
      .map(
        (id) => `<tr><td><input type="checkbox" name="selected" value="${id}" data-bulk-target="one" data-action="bulk#changed"></td>
        <td data-column="name">n</td><td data-column="code">c</td></tr>`,
      )
      .join("")}</tbody></table>
  </div>`;

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("[name=selected]")];
const show = (): Promise<unknown> => page(PAGE, { bulk, "table-columns": tableColumns }, { selected_count: "{count} chosen" });

beforeEach(async () => {
  localStorage.clear();
  await show();
});

test("a column hidden by the list can be shown, and stays so", async () => {
  expect(document.querySelectorAll("td[data-column=code]:not([hidden])")).toHaveLength(0);
  const choice = [...document.querySelectorAll<HTMLInputElement>("[data-table-columns-target=chooser] input")][1];
  choice?.click();
  expect(document.querySelectorAll("td[data-column=code]:not([hidden])")).toHaveLength(4);
  await show();
  expect(document.querySelectorAll("td[data-column=code]:not([hidden])")).toHaveLength(4);
});

test("the bar of actions comes with the first selected row and counts", () => {
  boxes()[0]?.click();
  expect(one("[data-bulk-target=bar]").hidden).toBe(false);
  expect(one("[data-bulk-target=count]").textContent).toBe("1 chosen");
  expect(one<HTMLInputElement>("[data-bulk-target=all]").indeterminate).toBe(true);
  one("button").click();
  expect(one("[data-bulk-target=bar]").hidden).toBe(true);
});

test("Shift selects a range", () => {
  boxes()[0]?.click();
  boxes()[2]?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
  expect(boxes().map((box) => box.checked)).toEqual([true, true, true, false]);
});

test("the head selects the page", () => {
  one("[data-bulk-target=all]").click();
  expect(boxes().every((box) => box.checked)).toBe(true);
});
