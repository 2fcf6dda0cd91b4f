// What the desk asks of the box about telephones.
import { get, post } from '@shared/api';
import type { Forward, Protection } from '@shared/model';

/** A telephone of the house. */
export interface PhoneLine {
  phone: string;
  label: string;
  badge: string | null;
  protection: Protection;
  forward: Forward;
  registered: { transport: string; private: boolean; address: string; user_agent: string | null }[];
  enrolled: { make: string; mac: string; open_until: number | null; fetched: number | null; model: string | null; firmware: string | null } | null;
}

export const phones = () => get<{ phones: PhoneLine[] }>('/api/phones');
export const enrol = (phone: string, device: { mac: string; make: string; window_min: number }) => post<{ url: string }>(`/api/phones/${phone}/enrol`, device);
export const rotate = (phone: string) => post<void>(`/api/phones/${phone}/rotate`, {});
export const dismiss = (phone: string) => post<void>(`/api/phones/${phone}/dismiss`, {});
export const ownForward = () => get<{ phone: string; forward: Forward }>('/api/forward');
export const setForward = (forward: Forward) => post<{ phone: string; forward: Forward }>('/api/forward', forward);
