// The colour of each state of work; the word always stands beside it.
import type { AgentState } from '@shared/model';

export const STATE_COLOR: Record<AgentState, string> = {
  signed_out: 'gray',
  not_ready: 'gray',
  ready: 'green',
  offered: 'orange',
  talking: 'blue',
  wrap_up: 'violet',
};
