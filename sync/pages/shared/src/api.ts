// Requests to the daemon that served the page: JSON in and out, one shape of refusal, nothing from anywhere else.

export interface RefusalBody {
  code: string;
  message: string;
  fault: string;
}

/** An answer other than success. `status` 0: no answer at all. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Which edit of a batch. */
    readonly index: number | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** A page may be open while nobody is signed in: this hears of it. */
let signedOut: () => void = () => {};
export function onSignedOut(tell: () => void) {
  signedOut = tell;
}

async function ask(method: string, path: string, body?: unknown, keepalive = false): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      keepalive,
      headers: {
        ...(method === 'GET' ? {} : { 'x-branchline': '1' }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, 'unreachable', 'no answer');
  }
  if (response.ok) return response;
  const refusal = await read(response);
  if (response.status === 401 && refusal.code !== 'bad_credentials' && path !== '/api/session') signedOut();
  throw refusal;
}

async function read(response: Response): Promise<Refusal> {
  const told: { error?: Partial<RefusalBody>; index?: number } = await response.json().catch(() => ({}));
  const after = Number(response.headers.get('retry-after'));
  return new Refusal(
    response.status,
    told.error?.code ?? (response.status >= 500 ? 'unavailable' : 'bad_request'),
    told.error?.message ?? response.statusText,
    told.index ?? null,
    after > 0 ? after : null,
  );
}

export async function get<T>(path: string): Promise<T> {
  return (await ask('GET', path)).json() as Promise<T>;
}

/** `keepalive`: it goes out even when the page goes away. */
export async function post<T>(path: string, body: unknown, keepalive = false): Promise<T> {
  const response = await ask('POST', path, body, keepalive);
  return (response.status === 204 ? undefined : await response.json().catch(() => undefined)) as T;
}

export async function put(path: string, body: unknown): Promise<void> {
  await ask('PUT', path, body);
}

export async function remove(path: string): Promise<void> {
  await ask('DELETE', path);
}

/** Once more for what may pass by itself, never for what the person asked wrongly. */
export function worthRetrying(count: number, error: Error): boolean {
  return count < 2 && (!(error instanceof Refusal) || error.status === 0 || error.status >= 500);
}
