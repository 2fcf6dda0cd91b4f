// What the console asks of drills; the shapes of cloudd's routes.
import { get, put, remove } from '@shared/api';
import type { Drill, DrillReport } from '@shared/model';

export interface OrderedDrill {
  site: string;
  label: string;
  drill: Drill;
  until: number;
  /** Its time has come, and the branch is not linked. */
  apart: boolean;
}

export interface ReportedDrill {
  site: string;
  label: string;
  box: string;
  report: DrillReport;
  /** Every interval that it touches had arrived. */
  whole: boolean;
  /** Their figures were those of the branch. */
  equal: boolean;
  passed: boolean;
  received: number;
}

export const drills = () => get<{ ordered: OrderedDrill[]; reports: ReportedDrill[] }>('/api/drills');
export const orderDrill = (site: string, at: number | null, minutes: number) => put(`/api/sites/${site}/drill`, { at, minutes });
export const callOffDrill = (site: string) => remove(`/api/sites/${site}/drill`);
