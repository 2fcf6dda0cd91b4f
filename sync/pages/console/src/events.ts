// Hints from the cloud that a site changed: what is shown of it is asked for again.
import { queries } from '@shared/ui/queries';
import { useEffect, useState } from 'react';

const WAIT_MS_FIRST = 500;
const WAIT_MS_MAX = 15_000;

/** True while hints arrive. */
export function useEvents(): boolean {
  const [live, setLive] = useState(true);
  useEffect(() => {
    let stopped = false;
    let failures = 0;
    let timer: number | undefined;
    let socket: WebSocket | null = null;
    const open = () => {
      const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
      socket = new WebSocket(`${scheme}://${window.location.host}/api/events`);
      socket.onopen = () => {
        if (failures > 0) void queries.invalidateQueries();
        failures = 0;
        setLive(true);
      };
      socket.onmessage = (event) => {
        const hint = JSON.parse(String(event.data)) as { event?: string; site?: string };
        if (hint.event !== 'site') return;
        void queries.invalidateQueries({ queryKey: ['sites'] });
        void queries.invalidateQueries({ queryKey: ['boxes'] });
        void queries.invalidateQueries({ queryKey: ['notices'] });
        void queries.invalidateQueries({ queryKey: ['figures'] });
        void queries.invalidateQueries({ queryKey: ['site', hint.site] });
      };
      socket.onclose = () => {
        if (stopped) return;
        // Full jitter, so that all consoles do not return at once.
        const most = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** failures++);
        if (failures > 2) {
          setLive(false);
          // An ended session refuses the connection for ever: asking shows the sign-in.
          void queries.invalidateQueries({ queryKey: ['me'] });
        }
        timer = window.setTimeout(open, 200 + Math.random() * most);
      };
    };
    open();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
      socket?.close();
    };
  }, []);
  return live;
}
