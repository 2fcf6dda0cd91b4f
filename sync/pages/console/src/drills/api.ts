// What the console asks of drills; the shapes of cloudd's routes.
import { cloud } from '../cloud';
import type { Drill, DrillOutcome, DrillReport } from '@shared/model';

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
  outcome: DrillOutcome;
  received: number;
}

export const drills = (): Promise<{ ordered: OrderedDrill[]; reports: ReportedDrill[] }> => cloud.getDrills();
export const orderDrill = (site: string, at: number | null, minutes: number) => cloud.putSitesSiteDrill(site, { at, minutes });
export const callOffDrill = (site: string) => cloud.deleteSitesSiteDrill(site);
