/** The addresses that only this machine can reach, and the web addresses made of them. */

/** Hosts the dashboard may listen on. Everything else could be reached from outside. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "::1"];

/** The part of a URL that names host and port; an IPv6 address stands in brackets. */
export const authority = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** Where the page is, with what it should show first. */
export function pageUrl(host: string, port: number, query: { task?: string | undefined; token?: string | undefined }): string {
  const parts = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`]));
  return `http://${authority(host, port)}/${parts.length === 0 ? "" : `?${parts.join("&")}`}`;
}
