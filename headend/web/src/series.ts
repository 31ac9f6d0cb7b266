// From rows of a profile to what the curve draws: power of an interval, differences of registers,
// gaps, and sums that can be held against the register.
import type {Column, Rows} from './api.ts';
import {add, isZero, scaled, subtract, type Decimal} from './decimal.ts';
import {registerOf} from './obis.ts';
import {dayStart, type Zone} from './zone.ts';
import {days, type Range} from './ranges.ts';

export interface View {
    energy: 'power' | 'energy'; // energy of an interval as average power, or as it is
    register: 'difference' | 'reading'; // cumulative registers as differences, or as they are
}

export interface Series {
    unit: string; // without prefix
    step: boolean; // holds over its interval; else a line from stamp to stamp
    values: (number | null)[]; // one for each row
}

export function toUnit(raw: number, column: Column): number {
    const s = column.scaler;
    return (s < 0 ? raw / 10 ** -s : raw * 10 ** s) * column.multiplier;
}

const POWER_OF: Record<string, string> = {Wh: 'W', varh: 'var', VAh: 'VA'};

const isOfIntervals = (column: Column, view: View): boolean =>
    column.kind === 'interval' || (column.kind === 'register' && view.register === 'difference');

// What can be drawn as average power, too.
export const isEnergyOfIntervals = (column: Column, view: View): boolean => isOfIntervals(column, view) && column.unit in POWER_OF;

export function unitIn(column: Column, view: View): string {
    return isOfIntervals(column, view) && view.energy === 'power' ? (POWER_OF[column.unit] ?? column.unit) : column.unit;
}

// Seconds that row i stands for: a row off the grid (the clock was set) ends a shorter interval.
export function duration(t: readonly number[], i: number, period: number): number {
    const since = i > 0 ? t[i]! - t[i - 1]! : period;
    return since > 0 && since < period ? since : period;
}

const follows = (t: readonly number[], i: number, period: number): boolean =>
    i > 0 && t[i]! > t[i - 1]! && t[i]! - t[i - 1]! <= period;

function difference(rows: Rows, raw: readonly (number | null)[], i: number): number | null {
    const now = raw[i];
    const before = raw[i - 1];
    if (now == null || before == null || now < before || !follows(rows.t, i, rows.period_s)) return null;
    return now - before;
}

export function seriesOf(rows: Rows, c: number, view: View): Series {
    const column = rows.columns[c]!;
    const raw = rows.values[c]!;
    const unit = unitIn(column, view);
    if (!isOfIntervals(column, view))
        return {unit, step: false, values: raw.map((v) => (v === null ? null : toUnit(v, column)))};
    const perHour = view.energy === 'power' && unit !== column.unit;
    const values = raw.map((v, i) => {
        const energy = column.kind === 'register' ? difference(rows, raw, i) : v;
        if (energy === null || rows.t[i]! <= rows.from) return null;
        const value = toUnit(energy, column);
        return perHour ? (value * 3600) / duration(rows.t, i, rows.period_s) : value;
    });
    return {unit, step: true, values};
}

export interface Gap {
    from: number;
    to: number;
    n: number; // rows missing
}

// Stretches of the range without rows, as far as the profile reaches (first..last of the meter's rows).
export function gaps(t: readonly number[], period: number, range: Range, first: number | null, last: number | null): Gap[] {
    if (first === null || last === null) return [];
    const list: Gap[] = [];
    const begin = Math.max(range.from, first - period);
    const end = Math.min(range.to, last);
    let at = begin;
    for (const stamp of t) {
        if (stamp <= begin || stamp > end) continue;
        const n = Math.floor((stamp - at) / period) - 1;
        if (n > 0) list.push({from: at, to: stamp - period, n});
        at = stamp;
    }
    const n = Math.floor((end - at) / period);
    if (n > 0) list.push({from: at, to: end, n});
    return list;
}

export interface Total {
    sum: Decimal | null; // of the rows in the range; null when not exact
    n: number;
    // The same energy by the register, from the first row that has one to the last.
    since: number;
    until: number;
    sumSince: Decimal | null; // the intervals of that stretch
    rise: Decimal | null;
    equal: boolean | null; // null: cannot be said
}

function sumOf(column: Column, raw: readonly (number | null)[], first: number, last: number): {sum: Decimal | null; n: number} {
    let sum: Decimal | null = {digits: 0n, exponent: column.scaler};
    let n = 0;
    for (let i = first; i <= last; i++) {
        const v = raw[i];
        if (v == null) continue;
        const term = scaled(v, column.scaler, column.multiplier);
        sum = sum && term ? add(sum, term) : null;
        n++;
    }
    return {sum, n};
}

// Of interval column c over the rows in range.from < t <= range.to.
export function totalOf(rows: Rows, c: number, range: {from: number; to: number}): Total {
    const {t} = rows;
    const column = rows.columns[c]!;
    const last = t.findLastIndex((s) => s <= range.to);
    const first = t.findIndex((s) => s > range.from);
    const none: Total = {sum: null, n: 0, since: 0, until: 0, sumSince: null, rise: null, equal: null};
    if (first < 0 || last < first) return none;
    const {sum, n} = sumOf(column, rows.values[c]!, first, last);
    const base = first > 0 && t[first - 1] === range.from ? first - 1 : first;
    const total: Total = {...none, sum, n, since: t[base]!, until: t[last]!};
    const partner = rows.columns.findIndex((p) => p.obis === registerOf(column.obis) && p.attribute === 2);
    if (partner < 0 || last <= base) return total;
    const p = rows.columns[partner]!;
    const [a, b] = [rows.values[partner]![base], rows.values[partner]![last]].map((v) => (v == null ? null : scaled(v, p.scaler, p.multiplier)));
    total.sumSince = sumOf(column, rows.values[c]!, base + 1, last).sum;
    total.rise = a && b ? subtract(b, a) : null;
    if (total.rise && total.sumSince) total.equal = isZero(subtract(total.rise, total.sumSince));
    return total;
}

export interface DayTotal {
    from: number;
    to: number;
    sum: Decimal | null;
    n: number;
    expected: number; // rows that the day has so far
}

// One for each day of the range, in the zone's days.
export function dayTotals(rows: Rows, c: number, zone: Zone, range: Range, first: number | null, last: number | null): DayTotal[] {
    let i = 0;
    return days(zone, range).map((from) => {
        const to = dayStart(zone, from, 1);
        while (i < rows.t.length && rows.t[i]! <= from) i++;
        const start = i;
        while (i < rows.t.length && rows.t[i]! <= to) i++;
        const {sum, n} = sumOf(rows.columns[c]!, rows.values[c]!, start, i - 1);
        const begin = Math.max(from, (first ?? to) - rows.period_s);
        const expected = Math.max(0, Math.floor((Math.min(to, last ?? from) - begin) / rows.period_s));
        return {from, to, sum: n ? sum : null, n, expected};
    });
}
