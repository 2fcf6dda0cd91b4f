// What the list of contacts asks of the box.
import { get, post } from '@shared/api';
import type { Contact } from '../api';

/** What stands for contacts of which none was chosen: no code has such a name. */
export const NONE_CHOSEN = 'none_chosen';

export interface ContactPage {
  contacts: Contact[];
  dispositions: Record<string, string>;
  /** What came of one can be said anew for so long after its end; null: always. */
  correct_within_ms: number | null;
  more: boolean;
}

/** Those that ended before, of which this is said. */
export function contacts(before: number | null, disposition: string | null) {
  const rest = (before === null ? '' : `&before=${before}`) + (disposition === null ? '' : `&disposition=${disposition}`);
  return get<ContactPage>(`/api/contacts?limit=50${rest}`);
}

export const correct = (contact: string, disposition: string) => post<void>(`/api/contacts/${contact}/disposition`, { disposition });
