const YEAR = 365 * 24 * 3600;

/** Remembers a display choice for a year; the server reads it, so that the next page is painted right at once. */
export function remember(name: string, value: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}
