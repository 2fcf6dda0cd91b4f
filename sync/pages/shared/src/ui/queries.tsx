// What is known of the server's answers, and how often it is asked again.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { worthRetrying } from '../api';

export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: worthRetrying, staleTime: 5_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

export function Queries({ children }: { children: ReactNode }) {
  return <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
}

/** Nobody is signed in: what was known is forgotten, and whoever asks for `me` shows the sign-in. */
export function forget() {
  // Never `clear`: the mounted page would go on looking at what was removed.
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'me' });
  queries.setQueryData(['me'], null);
}
