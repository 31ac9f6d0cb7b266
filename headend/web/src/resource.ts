// Something fetched: what came last, what went wrong last, and how to fetch it again.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import {ApiError} from './api.ts';

export interface Resource<T> {
    data: T | null; // stays while it is fetched again, or when that fails
    error: string | null;
    loading: boolean;
    reload: () => void;
    set: (data: T) => void;
}

export function sentenceOf(e: unknown): string {
    return e instanceof ApiError ? e.message : 'Something went wrong in this page; reload it.';
}

// Fetches when `key` changes (null: not yet) and forgets what belonged to another key.
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
    const [state, setState] = useState<{key: string | null; data: T | null; error: string | null; loading: boolean}>(
        {key, data: null, error: null, loading: key !== null});
    const latest = useRef(load);
    latest.current = load;
    const running = useRef<AbortController | null>(null);

    const reload = useCallback(() => {
        if (key === null) return;
        running.current?.abort();
        const control = new AbortController();
        running.current = control;
        setState((s) => ({key, data: s.key === key ? s.data : null, error: s.key === key ? s.error : null, loading: true}));
        latest.current(control.signal).then(
            (data) => !control.signal.aborted && setState({key, data, error: null, loading: false}),
            (e: unknown) => {
                const given = e instanceof DOMException && e.name === 'AbortError'; // the page is leaving
                if (!control.signal.aborted) setState((s) => ({...s, error: given ? s.error : sentenceOf(e), loading: false}));
            });
    }, [key]);

    useEffect(() => {
        reload();
        return () => running.current?.abort();
    }, [reload]);

    const fits = state.key === key;
    return {
        data: fits ? state.data : null,
        error: fits ? state.error : null,
        loading: fits ? state.loading : key !== null,
        reload,
        set: (data) => setState({key, data, error: null, loading: false}),
    };
}
