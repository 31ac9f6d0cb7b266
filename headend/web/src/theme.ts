// Light, dark, or as the system has it; kept in this browser.
import {useEffect, useState} from 'preact/hooks';
import {recall, remember} from './settings.ts';

export type Theme = 'auto' | 'light' | 'dark';

const dark = matchMedia('(prefers-color-scheme: dark)');
const watchers = new Set<() => void>();
let chosen: Theme = recall('theme', ['auto', 'light', 'dark'], 'auto');

export const resolved = (): 'light' | 'dark' => (chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen);

function apply(): void {
    document.documentElement.dataset.theme = resolved();
    watchers.forEach((w) => w());
}

export function startTheme(): void {
    dark.addEventListener('change', apply);
    apply();
}

export function setTheme(t: Theme): void {
    chosen = t;
    remember('theme', t);
    apply();
}

export function useTheme(): {theme: Theme; shown: 'light' | 'dark'} {
    const [, again] = useState(0);
    useEffect(() => {
        const w = (): void => again((n) => n + 1);
        watchers.add(w);
        return () => void watchers.delete(w);
    }, []);
    return {theme: chosen, shown: resolved()};
}
