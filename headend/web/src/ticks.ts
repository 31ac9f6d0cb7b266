// Where the time axis has its lines: at round wall-clock times of the zone, also across a change of
// the clocks.
import {clock, dayName, instant, monthName, offset, wall, type Zone} from './zone.ts';

export interface Tick {
    t: number;
    label: string;
    strong: boolean; // a midnight, among hours
}

const STEPS = [300, 900, 1800, 3600, 7200, 10800, 21600, 43200];
const DAY_STEPS = [1, 2, 7, 14, 31, 62, 124];

// At most about n ticks in min..max.
export function timeTicks(zone: Zone, min: number, max: number, n: number): Tick[] {
    const span = max - min;
    const step = STEPS.find((s) => span / s <= n);
    if (step) return hourTicks(zone, min, max, step);
    return dayTicks(zone, min, max, DAY_STEPS.find((d) => span / (d * 86400) <= n) ?? 124);
}

function hourTicks(zone: Zone, min: number, max: number, step: number): Tick[] {
    const list: Tick[] = [];
    const first = Math.ceil((min + offset(zone, min)) / step) * step;
    const last = max + offset(zone, max);
    for (let local = first; local <= last; local += step) {
        const day = Math.floor(local / 86400) * 86400;
        const d = new Date(day * 1000);
        const t = instant(zone, d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), local - day);
        if (t < min || t > max || t <= (list.at(-1)?.t ?? -Infinity)) continue; // skipped by the clocks
        const strong = local === day;
        list.push({t, strong, label: strong ? dayLabel(zone, t) : clock(zone, t)});
    }
    return list;
}

function dayTicks(zone: Zone, min: number, max: number, step: number): Tick[] {
    const list: Tick[] = [];
    const w = wall(zone, min);
    for (let i = 0; ; i++) {
        const months = step >= 31;
        const t = months ? instant(zone, w.year, w.month + i * (step / 31), 1) : instant(zone, w.year, w.month, w.day + i * step);
        if (t > max) return list;
        if (t < min) continue;
        list.push({t, strong: false, label: months ? monthLabel(zone, t) : step < 7 ? dayLabel(zone, t) : dateLabel(zone, t)});
    }
}

const dateLabel = (zone: Zone, t: number): string => {
    const w = wall(zone, t);
    return `${w.day} ${monthName(w.month)}`;
};
const dayLabel = (zone: Zone, t: number): string => `${dayName(zone, t)} ${wall(zone, t).day}`;
const monthLabel = (zone: Zone, t: number): string => {
    const w = wall(zone, t);
    return `${monthName(w.month)} ${w.year}`;
};
