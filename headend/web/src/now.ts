// The head-end's clock as the browser sees it: ages are told by it, not by a wrong PC clock.
import {useEffect, useState} from 'preact/hooks';

let skew = 0; // milliseconds that the head-end is ahead of this browser

export function setServerNow(now: string | number): void {
    const t = typeof now === 'number' ? now * 1000 : Date.parse(now);
    if (Number.isFinite(t)) skew = t - Date.now();
}

export const serverNow = (): number => (Date.now() + skew) / 1000;

// Seconds of UTC; renders again every `every` seconds.
export function useNow(every = 1): number {
    const [now, set] = useState(serverNow);
    useEffect(() => {
        const timer = setInterval(() => set(serverNow()), every * 1000);
        return () => clearInterval(timer);
    }, [every]);
    return now;
}

export const seconds = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso) / 1000);
