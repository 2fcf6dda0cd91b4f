// Sentences about things that both pages show: refusals and findings, in the reader's language.
import type { TFunction } from 'i18next';
import { Refusal } from '../api';
import type { Finding, FlowProblem, Problem } from '../model';

type T = TFunction;

export function refusalText(t: T, error: unknown): string {
  if (!(error instanceof Refusal)) return t('refusal.unavailable');
  const told = { message: error.message };
  switch (error.code) {
    case 'unreachable':
    case 'bad_credentials':
    case 'forbidden':
    case 'not_found':
    case 'not_yours':
    case 'foreign_origin':
      return t(`refusal.${error.code}`);
    case 'already_done':
      return t('refusal.not_found');
    case 'too_many_attempts':
    case 'locked_out':
      return error.retryAfterS
        ? t('signIn.tryAgainIn', { seconds: error.retryAfterS })
        : t('refusal.too_many_attempts');
    case 'signed_out':
    case 'not_signed_in':
      return t('refusal.signed_out');
    case 'bad_request':
    case 'invalid':
      return t(`refusal.${error.code}`, told);
    case 'unavailable':
    case 'internal':
    case 'full':
      return t('refusal.unavailable');
    default:
      return error.message ? t('refusal.other', told) : t('refusal.unavailable');
  }
}

export function problemText(t: T, problem: Problem): string {
  switch (problem.is) {
    case 'dangling':
      return t('finding.dangling', { to: problem.to });
    case 'phone_shared':
      return t('finding.phone_shared', { kept_by: problem.kept_by });
    case 'out_of_bounds':
      return t('finding.out_of_bounds', { min: problem.min, max: problem.max, used: problem.used });
    case 'too_long':
      return t('finding.too_long', { max: problem.max });
    case 'concurrent':
      return t('finding.concurrent', { kept: problem.kept, dropped: problem.dropped.join('”, “') });
    case 'not_ours':
      return t('finding.not_ours', { number: problem.number });
    case 'unknown_codec':
      return t('finding.unknown_codec', { name: problem.name });
    case 'flow':
      return flowText(t, problem);
    default:
      return t(`finding.${problem.is}`);
  }
}

/** The fault, a way out, and how a caller comes there. */
function flowText(t: T, problem: FlowProblem): string {
  const said = faultText(t, problem);
  return problem.road.length > 1 ? `${said} ${t('finding.flow.road', { road: problem.road.join(' → ') })}` : said;
}

function faultText(t: T, problem: FlowProblem): string {
  switch (problem.fault) {
    case 'dangling': return t('finding.flow.dangling', { to: problem.to });
    case 'circle': return t('finding.flow.circle', { steps: problem.steps.join(', ') });
    case 'key': return t('finding.flow.key', { key: problem.key });
    case 'no_variable':
    case 'other_type': return t(`finding.flow.${problem.fault}`, { variable: problem.variable });
    case 'out_of_bounds': return t('finding.flow.out_of_bounds', { field: problem.field, min: problem.min, max: problem.max });
    case 'too_deep': return t('finding.flow.too_deep', { flows: problem.flows.join(' → ') });
    case 'braces': return t('finding.flow.braces', { text: problem.text });
    case 'missing': return t('finding.flow.missing', { what: problem.what });
    default: return t(`finding.flow.${problem.fault}`);
  }
}

/** Findings of one field and what lies below it. */
export function findingsAt(findings: readonly Finding[], path: string): Finding[] {
  return findings.filter((finding) => finding.path === path || finding.path.startsWith(`${path}/`));
}

export const SEVERITY_COLOR = { repaired: 'blue', warning: 'yellow', fatal: 'red' } as const;
