// What the desk asks of the box about what left it.
import { get } from '@shared/api';

export type EgressClass = 'metric' | 'health' | 'notice' | 'configuration' | 'overflow signal' | 'overflow media' | 'handshake' | 'checkpoint';

/** How far a witness has come. */
interface Witnessed {
  line: number;
  at: number;
}

export interface EgressSums {
  /** Name, number of lines, bytes of their contents. */
  classes: [EgressClass, number, number][];
  lines: number;
  signed: Witnessed | null;
  cloud: Witnessed | null;
  customer: Witnessed | null;
  has_customer: boolean;
}

export interface EgressLine {
  line: number;
  at: number;
  class: EgressClass;
  bytes: number;
  sha256: string;
  /** Null: no longer kept, or sealed media. */
  said: unknown;
}

export const EGRESS_FILE = '/api/egress/file';
export const egressSums = (from: number, until: number) => get<EgressSums>(`/api/egress?from=${from}&until=${until}`);
export const egressLines = (from: number, until: number, before: number | null) =>
  get<EgressLine[]>(`/api/egress/lines?from=${from}&until=${until}${before === null ? '' : `&before=${before}`}`);
