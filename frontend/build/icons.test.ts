import { expect, test } from "vitest";
import { namesIn, symbolOf } from "./icons.ts";

test("finds names in templates and in Python", () => {
  const text = `{% icon "map-2" %} {% icon 'x' "css" %} Area(_("Map"), icon="video") {"icon": "trash"} empty_icon="inbox" {% icon area.icon %}`;
  expect(namesIn(text).sort()).toEqual(["inbox", "map-2", "trash", "video", "x"]);
});

test("a symbol keeps the shapes and drops the empty ground", () => {
  const svg = '<svg\n width="24"\n>\n <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n <path d="M9 4v13" />\n</svg>';
  expect(symbolOf("a", svg)).toMatch(/^<symbol id="a"[^>]*><path d="M9 4v13" \/><\/symbol>$/);
});
