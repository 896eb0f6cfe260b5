/** Parts of a browser that jsdom lacks. */
if (!window.matchMedia) {
  window.matchMedia = ((query: string) => ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  })) as unknown as typeof window.matchMedia;
}
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
globalThis.CSS ??= {} as typeof CSS;
CSS.escape ??= (value: string) => value.replace(/["\\]/g, "\\$&");
// jsdom's XPath wants its optional result type to be given; htmx leaves it out, as browsers allow.
const expression = Object.getPrototypeOf(new XPathEvaluator().createExpression(".")) as XPathExpression;
const evaluate = expression.evaluate;
expression.evaluate = function (context: Node, type = 0, result: XPathResult | null = null): XPathResult {
  return evaluate.call(this, context, type, result);
};
