/** The page's translated words: a JSON block written by Django. The scripts hold no text of their own. */
let words: Record<string, string> | null = null;

function load(): Record<string, string> {
  const block = document.getElementById("words");
  return block?.textContent ? (JSON.parse(block.textContent) as Record<string, string>) : {};
}

/** The text of `key` with its {names} filled in; an unknown key shows itself. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  words ??= load();
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function forgetWords(): void {
  words = null;
}
