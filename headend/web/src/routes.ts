// Addresses of the pages: all in the hash, so that the server needs none of them.
//
//   #/meters                      the list
//   #/meters/3?range=day&day=2026-11-20[&to=2026-11-22]   one meter and what its curve shows
import {useEffect, useState} from 'preact/hooks';
import type {RangeKind} from './ranges.ts';

export type Route =
    | {page: 'meters'}
    | {page: 'meter'; id: number; range: RangeKind | null; day: string | null; to: string | null}
    | {page: 'unknown'};

const KINDS: readonly string[] = ['day', 'week', 'month', 'custom'];

export function parseRoute(hash: string): Route {
    const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
    if (path === '' || path === '/' || path === '/meters') return {page: 'meters'};
    const m = /^\/meters\/(\d{1,15})$/.exec(path);
    if (!m) return {page: 'unknown'};
    const q = new URLSearchParams(query);
    const range = q.get('range');
    return {page: 'meter', id: Number(m[1]), range: range && KINDS.includes(range) ? (range as RangeKind) : null, day: q.get('day'), to: q.get('to')};
}

export const METERS = '#/meters';

export function meterLink(id: number, range?: RangeKind, day?: string, to?: string): string {
    const q = new URLSearchParams();
    if (range) q.set('range', range);
    if (day) q.set('day', day);
    if (to) q.set('to', to);
    const query = q.toString();
    return `#/meters/${id}${query && `?${query}`}`;
}

export function useRoute(): Route {
    const [route, set] = useState(() => parseRoute(location.hash));
    useEffect(() => {
        const changed = (): void => set(parseRoute(location.hash));
        addEventListener('hashchange', changed);
        return () => removeEventListener('hashchange', changed);
    }, []);
    return route;
}

// Without a new entry in the history: the user changed a detail, not the page.
export function replaceRoute(hash: string): void {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
}
