import { expect, test } from "vitest";
import { element, fillAddress, fillTemplate, ownAddress, toneOf } from "./dom";

function template(html: string): HTMLTemplateElement {
  const made = element("template");
  made.innerHTML = html;
  return made;
}

const PAYLOADS = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "\"><svg onload=alert(1)>",
  "javascript:alert(1)",
  "{{constructor.constructor('alert(1)')()}}",
];

test.each(PAYLOADS)("shows %s as text", (payload) => {
  const made = fillTemplate(template('<p><b data-text="name"></b></p>'), { name: payload });
  expect(made.querySelector("b")?.textContent).toBe(payload);
  expect(made.querySelectorAll("img, script, svg")).toHaveLength(0);
});

test.each(["javascript:alert(1)", "data:text/html,x", "//evil.example/x", "https://evil.example/"])(
  "drops the foreign address %s",
  (address) => {
    expect(ownAddress(address)).toBe("");
    const made = fillTemplate(template('<a data-href="{link}"><img data-src="{link}"></a>'), { link: address });
    expect(made.hasAttribute("href")).toBe(false);
    expect(made.querySelector("img")?.hasAttribute("src")).toBe(false);
    expect(made.querySelector("img")?.hidden).toBe(true);
  },
);

test("encodes values inside an address and keeps whole addresses", () => {
  expect(fillAddress("/events/{id}/", { id: "a/../b" })).toBe("/events/a%2F..%2Fb/");
  expect(fillAddress("{picture}", { picture: "/media/1.jpg?s=2" })).toBe("/media/1.jpg?s=2");
});

test("hides what has no value and marks the state", () => {
  const made = fillTemplate(template('<p data-tone="state"><i data-show="place"></i></p>'), { state: "offline" });
  expect(made.className).toBe("state-grey");
  expect(made.querySelector("i")?.hidden).toBe(true);
});

test("an unknown state is never an alarm", () => {
  expect(toneOf("something-new")).toBe("grey");
});
