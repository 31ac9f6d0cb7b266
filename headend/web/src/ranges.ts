// The stretch of time that the curve shows: a day, seven days, a month or a choice of days.
//
// `from` and `to` are the borders in epoch seconds. Rows are stamped at the end of their interval,
// so those inside are from < t <= to; the row at `from` itself is the register's start value.
import {dayStart, instant, isoDay, longDay, monthName, monthStart, parseDay, wall, type Zone} from './zone.ts';

export type RangeKind = 'day' | 'week' | 'month' | 'custom';
export const MAX_DAYS = 400; // of the API, for one request

export interface Range {
    kind: RangeKind;
    from: number;
    to: number;
}

// The range of a kind that ends with, or holds, the day of t. A week is seven days up to that day:
// it is full on every day of the week.
export function rangeAt(zone: Zone, kind: RangeKind, t: number): Range {
    if (kind === 'month') return {kind, from: monthStart(zone, t), to: monthStart(zone, t, 1)};
    return {kind, from: dayStart(zone, t, kind === 'week' ? -6 : 0), to: dayStart(zone, t, 1)};
}

// Both days included; null when they are no days, the wrong way round or too far apart.
export function customRange(zone: Zone, first: string, last: string): Range | null {
    const from = parseDay(zone, first);
    const end = parseDay(zone, last);
    if (from === null || end === null || end < from) return null;
    const to = dayStart(zone, end, 1);
    return to - from > (MAX_DAYS - 1) * 86400 ? null : {kind: 'custom', from, to};
}

function dayCount(zone: Zone, r: Range): number {
    const a = wall(zone, r.from);
    const b = wall(zone, r.to);
    return Math.round((Date.UTC(b.year, b.month - 1, b.day) - Date.UTC(a.year, a.month - 1, a.day)) / 86400000);
}

// The neighbour before (-1) or after (1), of as many days.
export function neighbour(zone: Zone, r: Range, direction: -1 | 1): Range {
    if (r.kind === 'month') {
        const from = monthStart(zone, r.from, direction);
        return {kind: 'month', from, to: monthStart(zone, from, 1)};
    }
    const days = dayCount(zone, r) * direction;
    return {kind: r.kind, from: dayStart(zone, r.from, days), to: dayStart(zone, r.to, days)};
}

// The same days in another zone.
export function inZone(r: Range, old: Zone, zone: Zone): Range {
    const move = (t: number): number => {
        const w = wall(old, t);
        return instant(zone, w.year, w.month, w.day);
    };
    return {kind: r.kind, from: move(r.from), to: move(r.to)};
}

export function days(zone: Zone, r: Range): number[] {
    const list: number[] = [];
    for (let t = r.from; t < r.to; t = dayStart(zone, t, 1)) list.push(t);
    return list;
}

export function rangeTitle(zone: Zone, r: Range): string {
    const last = r.to - 1;
    if (r.kind === 'month') {
        const w = wall(zone, r.from);
        return `${monthName(w.month)} ${w.year}`;
    }
    if (isoDay(zone, r.from) === isoDay(zone, last)) return longDay(zone, r.from);
    const a = wall(zone, r.from);
    const b = wall(zone, last);
    const start = longDay(zone, r.from);
    return `${a.year === b.year ? start.slice(0, -5) : start} \u2013 ${longDay(zone, last)}`;
}
