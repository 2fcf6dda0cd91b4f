// The desk's first place: my state, my contact, and the floor around me.
import { Stack } from '@mantine/core';
import { Suspense, lazy } from 'react';
import type { AgentLine, Ask, Board, Me } from '../api';
import { PhoneCard } from '../phone/card';
import type { Phone, PhoneState } from '../phone/phone';
import { CallCard } from './call';
import { Colleagues } from './colleagues';
import { Queues } from './queues';
import { StateCard } from './work';
import './floor.css';

// For supervisors.
const Callbacks = lazy(() => import('./callbacks'));
const Messages = lazy(() => import('./messages'));

export interface FloorProps {
  me: Me;
  own: AgentLine | null;
  board: Board;
  at: number;
  live: boolean;
  ask: (ask: Ask) => Promise<boolean>;
  phone: Phone;
  telephone: PhoneState;
}

export function Floor(props: FloorProps) {
  return (
    <div className="floor">
      <Stack gap="lg" miw={0}>
        <StateCard {...props} />
        {props.own !== null && <CallCard {...props} own={props.own} />}
        {props.own === null && <Colleagues {...props} />}
      </Stack>
      <Stack gap="lg" miw={0}>
        {props.own !== null && <PhoneCard phone={props.phone} state={props.telephone} />}
        <Queues {...props} />
        {props.board.queues.some((line) => line.messages > 0) && <Suspense fallback={null}><Messages {...props} /></Suspense>}
        {props.board.callbacks.length > 0 && <Suspense fallback={null}><Callbacks {...props} /></Suspense>}
        {props.own !== null && <Colleagues {...props} />}
      </Stack>
    </div>
  );
}
