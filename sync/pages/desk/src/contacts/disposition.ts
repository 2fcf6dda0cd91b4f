import type { Disposition } from '@shared/model';

/** What came of a contact, in words; a code that the site no longer has says itself. */
export function dispositionText(disposition: Disposition, labels: Record<string, string>, noneChosen: string): string {
  return typeof disposition === 'string' ? noneChosen : (labels[disposition.code] ?? disposition.code);
}
