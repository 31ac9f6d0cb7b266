// Figures and times as people read them: thin groups of three, a real minus, units with prefixes.
import {plain, scaled, shift, type Decimal} from './decimal.ts';

const THIN = '\u202f';
const MINUS = '\u2212';
export const NONE = '\u2013'; // where there is no value

// Groups the whole part of "-12345.678" by thin spaces.
export function grouped(text: string): string {
    const negative = text.startsWith('-');
    const [whole = '', fraction] = (negative ? text.slice(1) : text).split('.');
    const groups = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
    return (negative ? MINUS : '') + groups + (fraction === undefined ? '' : `.${fraction}`);
}

// Units that are said in thousands once the figure is large; others stay as the meter says them.
const PREFIXED = new Set(['W', 'Wh', 'var', 'varh', 'VA', 'VAh', 'V', 'A']);
const PREFIXES: readonly [number, string][] = [[9, 'G'], [6, 'M'], [3, 'k']];

export interface Prefix {
    shift: number; // the figure is divided by 10^shift
    unit: string;
}

// For a figure (or the greatest of several) of this size.
export function prefixFor(size: number, unit: string): Prefix {
    if (!PREFIXED.has(unit) || (unit.length === 1 && 'VA'.includes(unit) && Math.abs(size) < 10000)) return {shift: 0, unit};
    const found = PREFIXES.find(([power]) => Math.abs(size) >= 10 ** power);
    return found ? {shift: found[0], unit: found[1] + unit} : {shift: 0, unit};
}

export function exact(value: Decimal, prefix: Prefix): string {
    return grouped(plain(shift(value, -prefix.shift)));
}

// To n significant digits, for figures that are estimates by nature (power now, averages).
export function rounded(value: number, digits = 4): string {
    if (!Number.isFinite(value)) return NONE;
    if (value === 0) return '0';
    return fixed(value, placesFor(value, digits));
}

// Decimal places that give n significant digits to a figure of this size.
export function placesFor(size: number, digits: number): number {
    if (!Number.isFinite(size) || size === 0) return 0;
    return Math.min(6, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(size)))));
}

export const fixed = (value: number, places: number): string => grouped(value.toFixed(places));

export interface Figure {
    text: string;
    unit: string;
}

// Energies in kWh with every digit the meter has: a reading is a document.
export function registerFigure(raw: number | null, scaler: number, multiplier: number, unit: string, value: number | null): Figure {
    if (raw === null && value === null) return {text: NONE, unit: ''};
    const decimal = raw === null ? null : scaled(raw, scaler, multiplier);
    const energy = /^(Wh|varh|VAh)$/.test(unit);
    const prefix = energy ? {shift: 3, unit: `k${unit}`} : prefixFor(value ?? 0, unit);
    if (decimal) return {text: exact(decimal, prefix), unit: sign(prefix.unit)};
    return {text: rounded((value ?? 0) / 10 ** prefix.shift, 9), unit: sign(prefix.unit)};
}

// Energy in a list: kWh to a tenth, so that the figures stand in line.
export function headlineEnergy(value: number | undefined, unit: string): Figure {
    if (value === undefined) return {text: NONE, unit: ''};
    return {text: grouped((value / 1000).toFixed(1)), unit: `k${unit}`};
}

export function roundedFigure(value: number | null | undefined, unit: string, digits = 4): Figure {
    if (value === null || value === undefined) return {text: NONE, unit: ''};
    const prefix = prefixFor(value, unit);
    return {text: rounded(value / 10 ** prefix.shift, digits), unit: sign(prefix.unit)};
}

// The API's unit names to the signs people write.
export function sign(unit: string): string {
    if (unit.startsWith('deg')) return unit === 'degC' ? '°C' : '°';
    if (unit === 'percent') return '%';
    return unit === '1' || unit === 'count' || unit === 'none' ? '' : unit;
}

// "12 s", "3 min", "2 h", "5 days"
export function span(seconds: number): string {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86400)} days`;
}

export function age(seconds: number | null): string {
    if (seconds === null) return 'never';
    return seconds < 1 ? 'now' : `${span(seconds)} ago`;
}

export function count(n: number, one: string, many = `${one}s`): string {
    return `${grouped(String(n))} ${n === 1 ? one : many}`;
}

export const whole = (n: number): string => grouped(String(n));
