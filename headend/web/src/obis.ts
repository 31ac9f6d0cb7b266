// What an OBIS code means for a page: which group, which phase, which partner. IEC 62056-6-1.

export interface Obis {
    a: number;
    b: number;
    c: number;
    d: number;
    e: number;
}

export function parseObis(text: string): Obis | null {
    const m = /^(\d+)-(\d+):(\d+)\.(\d+)\.(\d+)(?:[.*]\d+)?$/.exec(text);
    if (!m) return null;
    const [a, b, c, d, e] = m.slice(1).map(Number) as [number, number, number, number, number];
    return {a, b, c, d, e};
}

// "1-0:1.8.0" as people write it: F = 255 says nothing.
export const shortObis = (text: string): string => text.replace(/\.255$/, '');

// C of the total; +20, +40, +60 are the phases. 10 kinds of energy and power, then the power factor,
// the absolute and the net sums.
const isPowerBase = (c: number): boolean => (c >= 1 && c <= 10) || c === 13 || c === 15 || c === 16;

// 0: no phase (the total); 1..3: L1..L3.
export function phaseOf(text: string): number {
    const o = parseObis(text);
    if (!o || o.a !== 1) return 0;
    if (o.c === 81) return {0: 1, 1: 2, 2: 3, 4: 1, 15: 2, 26: 3}[o.e] ?? 0;
    if (o.c === 31 || o.c === 32) return 1;
    if (o.c === 51 || o.c === 52) return 2;
    if (o.c === 71 || o.c === 72) return 3;
    const phase = Math.floor(o.c / 20);
    return phase >= 1 && phase <= 3 && isPowerBase(o.c - phase * 20) ? phase : 0;
}

export const GROUPS = ['Energy', 'Demand', 'Voltage and current', 'Power', 'Other'] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(text: string): Group {
    const o = parseObis(text);
    if (!o || o.a !== 1) return 'Other';
    if (o.d === 8 || o.d === 9 || o.d === 29) return 'Energy';
    if (o.d >= 2 && o.d <= 6 && o.c > 0) return 'Demand';
    if (o.d !== 7) return 'Other';
    const base = phaseOf(text) ? o.c - phaseOf(text) * 20 : o.c;
    if (isPowerBase(base) && o.c !== 81) return 'Power';
    return [11, 12, 14, 31, 32, 51, 52, 71, 72, 81, 91, 92].includes(o.c) ? 'Voltage and current' : 'Other';
}

// The register that sums what an interval column captures: 1.29.0 -> 1.8.0.
export function registerOf(interval: string): string | null {
    const o = parseObis(interval);
    return o && o.d === 29 ? `${o.a}-${o.b}:${o.c}.8.${o.e}.255` : null;
}

const SHORT: Record<string, string> = {
    '1.8': 'Import', '2.8': 'Export', '3.8': 'Reactive +', '4.8': 'Reactive \u2212', '9.8': 'Apparent +', '10.8': 'Apparent \u2212',
    '1.29': 'Import', '2.29': 'Export', '3.29': 'Reactive +', '4.29': 'Reactive \u2212',
};

// A name short enough for a chip beside the curve; the full name where there is no short one.
export function channelName(obis: string, name: string, kind: 'interval' | 'register' | 'instant'): string {
    const o = parseObis(obis);
    const short = o && o.e === 0 ? SHORT[`${o.c}.${o.d}`] : undefined;
    if (!short) return phaseOf(obis) ? withPhase(obis, name) : name;
    return kind === 'register' ? `${short} register` : short;
}

export function withPhase(obis: string, name: string): string {
    const phase = phaseOf(obis);
    return phase && !/\bL[123]\b/.test(name.replace('U(L1)', '')) ? `${name}, L${phase}` : name;
}

// Bits of the profile's status column, in words.
export const STATUS: readonly [number, string][] = [
    [0x01, 'error'], [0x02, 'clock invalid'], [0x04, 'not valid'], [0x08, 'summer time'], [0x20, 'clock adjusted'], [0x80, 'power was down'],
];
const SUMMER_TIME = 0x08; // says nothing about the value

export const isFlagged = (status: number): boolean => (status & ~SUMMER_TIME) !== 0;

export function statusWords(status: number): string {
    const words = STATUS.filter(([bit]) => status & bit).map(([, word]) => word);
    const rest = STATUS.reduce((left, [bit]) => left & ~bit, status >>> 0) >>> 0;
    if (rest) words.push(`status 0x${rest.toString(16)}`);
    return words.join(', ');
}
