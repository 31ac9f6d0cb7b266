// The head-end's REST interface (headend/api/openapi.json), as types and calls.
//
// The session is a cookie that scripts cannot see; every changing call carries the session's token
// in a header. A 401 anywhere ends the session in the page: see onSignedOut.

import {recall, remember} from './settings.ts';

export interface Session {
    user: string;
    csrf: string;
    ends: string;
}

export interface Health {
    status: 'ok' | 'degraded';
    reason: string | null;
    version: string;
    meters: number;
    up_to_date: number;
    failing: number;
    connections: number;
    rows: number;
    values: number;
}

export interface Headline {
    obis: string;
    name: string;
    value: number;
    unit: string;
}

export type Quality = 'fresh' | 'stale' | 'never';

export interface Meter {
    id: number;
    name: string;
    place: string;
    url: string;
    client: number;
    server: number;
    auth: 'none' | 'lls' | 'hls5';
    security: 'none' | 'auth' | 'enc' | 'authenc';
    timeout_s: number;
    register_period_s: number;
    ct: [number, number];
    vt: [number, number];
    enabled: boolean;
    has_keys: boolean;
    has_password: boolean;
    device_name: string;
    serial: string;
    added: string;
    identified: string | null;
    activity: 'disabled' | 'waiting' | 'connecting' | 'reading';
    up_to_date: boolean;
    quality: Quality;
    last_reading: string | null;
    age_s: number | null;
    next: string | null;
    n_failed: number;
    error: string | null;
    rows_done: number;
    rows_expected: number;
    headline: Headline[];
}

export interface Register {
    obis: string;
    class: number;
    attribute: number;
    name: string;
    raw: number | null;
    scaler: number;
    multiplier: number;
    unit: string;
    value: number | null;
    at: string | null;
    age_s: number | null;
    quality: Quality;
    result: string;
}

export interface Column {
    obis: string;
    class: number;
    attribute: number;
    name: string;
    unit: string;
    scaler: number;
    multiplier: number;
    kind: 'interval' | 'register' | 'instant';
}

export interface Profile {
    obis: string;
    name: string;
    period_s: number;
    first: number | null;
    last: number | null;
    columns: Column[];
}

export interface Rows {
    obis: string;
    period_s: number;
    from: number;
    to: number;
    columns: Column[];
    t: number[];
    zone_min: number[] | number;
    status: number[];
    values: (number | null)[][];
}

export interface ImportResult {
    added: number;
    refused: number;
    rows: {line: number; name?: string; ok: boolean; message?: string}[];
}

export type MeterChange = Partial<Pick<Meter,
    'name' | 'place' | 'url' | 'client' | 'server' | 'auth' | 'security' | 'timeout_s' | 'register_period_s' | 'ct' | 'vt' | 'enabled'>> & {
    keys?: {guek?: string; gak?: string};
    password?: string;
};

export class ApiError extends Error {
    constructor(readonly status: number, readonly code: string, message: string,
        readonly field: string | null = null, readonly retryAfter: number | null = null) {
        super(message);
    }
}

let csrf = '';
let signedOut: () => void = () => {};

export function onSignedOut(f: () => void): void {
    signedOut = f;
}

const PLAIN: Record<number, string> = {
    403: 'This is not allowed.', 404: 'It is not there (any more).', 413: 'This is too large.', 503: 'The head-end is busy; try again in a moment.',
};

async function failure(r: Response): Promise<ApiError> {
    let code = '';
    let message = PLAIN[r.status] ?? `The head-end answered with ${r.status}.`;
    let field: string | null = null;
    try {
        const {error} = (await r.json()) as {error: {code: string; message: string; field?: string}};
        ({code} = error);
        message = error.message || message;
        field = error.field ?? null;
    } catch {
        // no JSON: a proxy's page, say; the sentence above stands
    }
    const wait = Number(r.headers.get('Retry-After'));
    return new ApiError(r.status, code, sentence(message), field, Number.isFinite(wait) && wait > 0 ? wait : null);
}

export function sentence(text: string): string {
    const t = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(t) ? t : `${t}.`;
}

interface Options {
    method?: string;
    body?: unknown;
    csv?: string;
    signal?: AbortSignal | undefined;
    signIn?: boolean;
    last?: boolean; // goes out although the page is leaving
}

// What the page still waits for: a session that ends takes it along, or each would come back as a 401.
const underWay = new Set<AbortController>();
let leaving = false;

function leave(): void {
    leaving = true;
    for (const one of underWay) one.abort();
}

// The signal of one call: the caller's own, and that of leaving.
function watched(own: AbortSignal | undefined): AbortController {
    const one = new AbortController();
    if (leaving || own?.aborted) one.abort();
    own?.addEventListener('abort', () => one.abort());
    underWay.add(one);
    return one;
}

async function call<T>(path: string, o: Options = {}): Promise<T> {
    const method = o.method ?? 'GET';
    const headers: Record<string, string> = {Accept: 'application/json'};
    if (method !== 'GET' && !o.signIn) headers['X-CSRF-Token'] = csrf;
    if (o.body !== undefined) headers['Content-Type'] = 'application/json';
    if (o.csv !== undefined) headers['Content-Type'] = 'text/csv';
    const body = o.csv ?? (o.body === undefined ? null : JSON.stringify(o.body));
    const watch = watched(o.signal);
    let r: Response;
    try {
        r = await fetch(path, {method, headers, body, signal: o.last ? null : watch.signal, credentials: 'same-origin', cache: 'no-store'});
    } catch (e) {
        if (e instanceof DOMException && e.name === 'AbortError') throw e;
        throw new ApiError(0, 'unreachable', 'The head-end does not answer. Is it running?');
    } finally {
        underWay.delete(watch);
    }
    if (r.status === 401 && !o.signIn) {
        remember('signed-in', 'no');
        signedOut();
    }
    if (!r.ok) throw await failure(r);
    return (r.status === 204 || r.status === 202 ? undefined : await r.json()) as T;
}

const V1 = '/api/v1';

// Whether this browser was signed in: spares a visitor without a session a refused request.
export const mayBeSignedIn = (): boolean => recall('signed-in', ['yes', 'no'], 'no') === 'yes';

function keep(s: Session): Session {
    csrf = s.csrf;
    remember('signed-in', 'yes');
    return s;
}

export const api = {
    health: (): Promise<Health> => call('/health'),
    session: async (): Promise<Session> => keep(await call<Session>(`${V1}/session`)),
    signIn: async (user: string, password: string): Promise<Session> =>
        keep(await call<Session>(`${V1}/session`, {method: 'POST', body: {user, password}, signIn: true})),
    signOut: async (): Promise<void> => {
        leave();
        try {
            await call(`${V1}/session`, {method: 'DELETE', last: true});
        } finally {
            leaving = false;
        }
        remember('signed-in', 'no');
    },
    changePassword: (old: string, fresh: string): Promise<void> =>
        call(`${V1}/session/password`, {method: 'PUT', body: {old, new: fresh}}),
    meters: (): Promise<{now: string; meters: Meter[]}> => call(`${V1}/meters`),
    meter: (id: number): Promise<Meter> => call(`${V1}/meters/${id}`),
    addMeter: (m: MeterChange): Promise<Meter> => call(`${V1}/meters`, {method: 'POST', body: m}),
    changeMeter: (id: number, m: MeterChange): Promise<Meter> => call(`${V1}/meters/${id}`, {method: 'PATCH', body: m}),
    importMeters: (csv: string, dryRun: boolean): Promise<ImportResult> =>
        call(`${V1}/meters/import${dryRun ? '?dry_run=true' : ''}`, {method: 'POST', csv}),
    readNow: (id: number): Promise<void> => call(`${V1}/meters/${id}/read`, {method: 'POST', body: {}}),
    registers: (id: number): Promise<{now: string; registers: Register[]}> => call(`${V1}/meters/${id}/registers`),
    profiles: (id: number): Promise<{profiles: Profile[]}> => call(`${V1}/meters/${id}/profiles`),
    values: (id: number, obis: string, from: number, to: number, signal?: AbortSignal): Promise<Rows> =>
        call(valuesPath(id, obis, from, to), {signal}),
};

function valuesPath(id: number, obis: string, from: number, to: number): string {
    return `${V1}/meters/${id}/profiles/${encodeURIComponent(obis)}/values?from=${from}&to=${to}`;
}

export const csvLink = (id: number, obis: string, from: number, to: number): string => `${valuesPath(id, obis, from, to)}&format=csv`;
