import { expect, test } from "vitest";
import { isEmpty, optionsOf } from "./chart_options";

test("tooltips are drawn as text, never as HTML", () => {
  const figures = { kind: "bar" as const, labels: ["<img src=x onerror=alert(1)>"], series: [{ name: "a", data: [1] }] };
  expect(optionsOf(figures, () => "#000")["tooltip"]).toMatchObject({ renderMode: "richText" });
});

test("nothing measured is not zero", () => {
  expect(isEmpty({ kind: "line", labels: ["1"], series: [{ name: "a", data: [null] }] })).toBe(true);
  expect(isEmpty({ kind: "line", labels: ["1"], series: [{ name: "a", data: [0] }] })).toBe(false);
});
