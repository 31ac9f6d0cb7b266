// Small drawn signs; each stands beside a word and is hidden from readers by ear.
import type {JSX} from 'preact';

const SHAPES: Record<string, JSX.Element> = {
    fresh: <circle cx="8" cy="8" r="5" fill="currentColor" />,
    stale: <><circle cx="8" cy="8" r="6" /><path d="M8 4.6V8l2.4 1.6" /></>,
    never: <circle cx="8" cy="8" r="5.5" stroke-dasharray="2.6 2.2" />,
    failing: <><path d="M8 2 14.5 13.5h-13z" /><path d="M8 6.4v3.4M8 11.6v.4" /></>,
    disabled: <><circle cx="8" cy="8" r="6" /><path d="M3.8 12.2 12.2 3.8" /></>,
    user: <><circle cx="8" cy="5.5" r="3" /><path d="M2.5 14c.6-3 2.7-4.5 5.5-4.5s4.9 1.5 5.5 4.5" /></>,
    down: <path d="m4 6 4 4 4-4" />,
    left: <path d="m10 3.5-4.5 4.5 4.5 4.5" />,
    right: <path d="m6 3.5 4.5 4.5-4.5 4.5" />,
    up_sort: <path d="m4.5 9.5 3.5-3.5 3.5 3.5" />,
    down_sort: <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />,
    search: <><circle cx="7" cy="7" r="4.5" /><path d="m10.5 10.5 3.5 3.5" /></>,
    close: <path d="m4 4 8 8m0-8-8 8" />,
    plus: <path d="M8 3v10M3 8h10" />,
    read: <><path d="M13.5 8a5.5 5.5 0 1 1-1.8-4.1" /><path d="M13.8 1.5v3.3h-3.3" /></>,
    download: <path d="M8 2v8m-3.5-3.3L8 10.2l3.5-3.5M2.5 13.5h11" />,
    table: <path d="M2 3h12v10H2zM2 6.5h12M2 9.8h12M6.5 3v10" />,
    curve: <path d="M2 2.5v11h12M4.5 10.5V8H7V5h2.5v3.5H12V6.5h2" />,
    equal: <path d="m3.5 8.5 3 3 6-7" />,
};

export function Icon({name}: {name: keyof typeof SHAPES & string}) {
    return (
        <svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
            {SHAPES[name]}
        </svg>
    );
}

// The rotor of an induction meter seen from the side: the disc, its axle, the mark that is counted.
export function Mark() {
    return (
        <svg class="mark" viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
            <path d="M16 4v9.5M16 21.5V28" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
            <ellipse cx="16" cy="17" rx="13" ry="5.2" stroke="currentColor" stroke-width="2" />
            <path class="mark-spot" d="M7.8 21.1a13 5.2 0 0 0 9 1.1" stroke-width="4" />
            <circle cx="16" cy="17" r="1.7" fill="currentColor" />
        </svg>
    );
}
