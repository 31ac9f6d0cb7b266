// From a profile's rows and the user's choices to what the curve draws; no more than two units.
import type {Column, Rows} from './api.ts';
import type {AxisUnit, ChartData} from './chart.ts';
import {prefixFor, sign} from './format.ts';
import {channelName, isFlagged, parseObis} from './obis.ts';
import type {Range} from './ranges.ts';
import {gaps, seriesOf, unitIn, type View} from './series.ts';
import type {Zone} from './zone.ts';

export const MAX_UNITS = 2;

export interface Channel {
    key: string; // of the column, stable over requests
    column: Column;
    index: number;
    label: string;
    color: number;
    unit: string; // as drawn
}

const N_COLORS = 8; // of the sheet, c0 and so on
const COLORS: Record<string, number> = {'1.29': 0, '2.29': 1, '3.29': 2, '4.29': 3, '3.8': 2, '4.8': 3, '1.8': 4, '2.8': 5};

const colorOf = (column: Column): number | undefined => {
    const o = parseObis(column.obis);
    return o && o.e === 0 ? COLORS[`${o.c}.${o.d}`] : undefined;
};

// Columns of one object in several layouts (the scaler was changed) are told apart by their place.
export function channels(columns: readonly Column[], view: View): Channel[] {
    // Energies have their colours everywhere; the others take in turn what is left.
    const left = Array.from({length: N_COLORS}, (_, i) => i).filter((i) => !columns.some((c) => colorOf(c) === i));
    let n = 0;
    const list = columns.map((column, index) => {
        const same = columns.filter((c, i) => i < index && c.obis === column.obis && c.attribute === column.attribute).length;
        const label = channelName(column.obis, column.name, column.kind) + (same ? ` (${same + 1})` : '');
        const color = colorOf(column) ?? left[n++ % left.length]!;
        return {key: `${column.obis}/${column.attribute}/${same}`, column, index, label, color, unit: unitIn(column, view)};
    });
    return [...list.filter((c) => c.column.kind === 'interval'), ...list.filter((c) => c.column.kind !== 'interval')];
}

// What is shown at first: the energy of the intervals as far as there was any, else what comes first.
export function usual(list: readonly Channel[], rows: Rows | undefined): string[] {
    const intervals = list.filter((c) => c.column.kind === 'interval').slice(0, 2);
    const some = intervals.filter((c) => rows?.values[c.index]?.some((v) => v !== null && v !== 0));
    return (some.length ? some : list.slice(0, 1)).map((c) => c.key);
}

export const units = (list: readonly Channel[], chosen: readonly string[]): string[] =>
    [...new Set(list.filter((c) => chosen.includes(c.key)).map((c) => c.unit))];

// The chosen ones that fit on the axes.
export function drawable(list: readonly Channel[], chosen: readonly string[]): Channel[] {
    const allowed = units(list, chosen).slice(0, MAX_UNITS);
    return list.filter((c) => chosen.includes(c.key) && allowed.includes(c.unit));
}

export type CurveData = Omit<ChartData, 'lines'> & {
    lines: {key: string; label: string; unit: string; step: boolean; color: number; values: (number | null)[]}[];
};

function axis(unit: string, lines: CurveData['lines']): AxisUnit {
    let greatest = 0;
    for (const l of lines) if (l.unit === unit) for (const v of l.values) if (v !== null) greatest = Math.max(greatest, Math.abs(v));
    const p = prefixFor(greatest, unit);
    return {unit, name: sign(p.unit), shift: p.shift};
}

export function curveData(rows: Rows, shown: readonly Channel[], view: View, range: Range, zone: Zone, first: number | null, last: number | null): CurveData {
    const lines = shown.map((c) => ({key: c.key, label: c.label, color: c.color, ...seriesOf(rows, c.index, view)}));
    const flagged: number[] = [];
    rows.status.forEach((s, i) => {
        if (isFlagged(s) && rows.t[i]! > range.from) flagged.push(i);
    });
    return {
        t: rows.t, period: rows.period_s, lines, axes: [...new Set(lines.map((l) => l.unit))].map((u) => axis(u, lines)),
        from: range.from, to: range.to, zone, flagged,
        gaps: rows.period_s ? gaps(rows.t, rows.period_s, range, first, last) : [],
    };
}
