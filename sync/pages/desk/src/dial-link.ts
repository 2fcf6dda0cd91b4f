// Click-to-dial: a link to a number in another program opens the desk with the number filled in. Nobody is called before the
// agent says so: a link is written by strangers.

/** Longest number that is taken from a link. */
const LENGTH_MAX = 32;

/** The number of `?dial=tel:+49-30-123`, as the dial field takes it; empty when it is none. */
export function dialled(search: string): string {
  const wanted = new URLSearchParams(search).get('dial') ?? '';
  const number = wanted.replace(/^tel:/i, '').split(';')[0]!.trim();
  return number.length <= LENGTH_MAX && /^\+?[\d\s().\-/*#]+$/.test(number) ? number : '';
}

/** The number that the page was opened with; once, for whom one wanted to call is nothing for the history. */
export function takeDialled(): string {
  const { search, pathname, hash } = window.location;
  if (search !== '') window.history.replaceState(null, '', pathname + hash);
  return dialled(search);
}

/** Asks the browser to open links to numbers with this desk. False: it cannot. */
export function openLinksHere(): boolean {
  if (!('registerProtocolHandler' in navigator)) return false;
  navigator.registerProtocolHandler('tel', `${window.location.origin}/?dial=%s`);
  return true;
}
