// The live stream: one EventSource for the page, whoever listens, and whether it stands.
//
// The events say only what changed; listeners fetch it. The browser reconnects by itself; after a
// gap each listener is told to fetch again, because nobody knows what the gap held.
import {useEffect, useRef, useState} from 'preact/hooks';
import {api} from './api.ts';
import {setServerNow} from './now.ts';

export type LiveEvent =
    | {kind: 'again'} // the stream was interrupted: fetch everything
    | {kind: 'meter'; meter: number}
    | {kind: 'registers'; meter: number}
    | {kind: 'profile'; meter: number; obis: string; from: number; to: number};

export type LiveState = 'connecting' | 'live' | 'lost';

let source: EventSource | null = null;
let state: LiveState = 'connecting';
let wasLive = false;
let retry: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<(e: LiveEvent) => void>();
const watchers = new Set<(s: LiveState) => void>();

function setState(s: LiveState): void {
    state = s;
    watchers.forEach((w) => w(s));
}

function emit(e: LiveEvent): void {
    listeners.forEach((l) => l(e));
}

function opened(): void {
    setState('live');
    if (wasLive) emit({kind: 'again'});
    wasLive = true;
}

// The browser gives up when the answer is no stream (401, a proxy's page): ask who we are, which
// shows the sign-in where the session has ended, and try again.
function failed(): void {
    setState('lost');
    if (source?.readyState !== EventSource.CLOSED) return;
    clearTimeout(retry);
    retry = setTimeout(() => {
        api.session().then(() => source && open(), () => source && failed());
    }, 3000);
}

function open(): void {
    source?.close();
    source = new EventSource('/api/v1/events');
    source.onopen = opened;
    source.onerror = failed;
    source.addEventListener('hello', (e) => setServerNow((JSON.parse(e.data) as {now: string | number}).now));
    for (const kind of ['meter', 'registers', 'profile'] as const)
        source.addEventListener(kind, (e) => emit({kind, ...(JSON.parse(e.data) as object)} as LiveEvent));
}

function close(): void {
    clearTimeout(retry);
    source?.close();
    source = null;
}

let wanted = false; // somebody is signed in

export function startLive(): () => void {
    setState('connecting');
    wasLive = false;
    wanted = true;
    open();
    return () => {
        wanted = false;
        close();
    };
}

// Before the session is ended: the head-end closes the streams of a session that is no more, and the
// browser would come back for it and be refused. The function goes on with it, should it not end.
export function pauseLive(): () => void {
    close();
    return () => {
        if (wanted) open();
    };
}

export function useLiveState(): LiveState {
    const [s, set] = useState(state);
    useEffect(() => {
        set(state);
        watchers.add(set);
        return () => void watchers.delete(set);
    }, []);
    return s;
}

// Calls `run` for events that `wanted` accepts, at most once in `every` milliseconds.
export function useLive(wanted: (e: LiveEvent) => boolean, run: () => void, every: number): void {
    const latest = useRef({wanted, run});
    latest.current = {wanted, run};
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        let ran = 0;
        const fire = (): void => {
            timer = undefined;
            ran = Date.now();
            latest.current.run();
        };
        const heard = (e: LiveEvent): void => {
            if (timer !== undefined || !latest.current.wanted(e)) return;
            timer = setTimeout(fire, Math.max(0, ran + every - Date.now()));
        };
        listeners.add(heard);
        return () => {
            clearTimeout(timer);
            listeners.delete(heard);
        };
    }, [every]);
}
