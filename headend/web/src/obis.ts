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
// the absolute and the net sums; 130 and above are those of our own meters.
const isPowerBase = (c: number): boolean => (c >= 1 && c <= 10) || c === 13 || c === 15 || c === 16 || c === 130 || c === 135 || c === 136;

// C without the phase: current 11, voltage 12 and those above; 81 is the angles'.
function baseAndPhase(c: number): [base: number, phase: number] {
    const own = c >= 150 && c < 200; // 150, 155: L1 of 130, 135
    const phase = own ? Math.floor((c - 130) / 20) : Math.floor(c / 20);
    const base = c - phase * 20;
    const has = own ? base === 130 || base === 135 : phase <= 3 && (isPowerBase(base) || base === 11 || base === 12);
    return phase >= 1 && has ? [base, phase] : [c, 0];
}

// 0: no phase (the total); 1..3: L1..L3.
export function phaseOf(text: string): number {
    const o = parseObis(text);
    if (!o || o.a !== 1) return 0;
    if (o.c === 81) return {0: 1, 1: 2, 2: 3, 4: 1, 15: 2, 26: 3}[o.e] ?? 0;
    return baseAndPhase(o.c)[1];
}

// In the order of a page: what is of this instant first.
export const GROUPS = [
    'Voltage and current', 'Power', 'Network quality', 'Energy', 'Energy by phase', 'Energy by tariff', 'Losses', 'Demand and averages', 'Parameters', 'Other',
] as const;
export type Group = (typeof GROUPS)[number];

const SUPPLY = [12, 11, 81, 14, 91, 92, 134, 133]; // voltage, current, angles, frequency, neutral
const QUALITY = [131, 132, 137, 138]; // unbalance and symmetrical components

function energyGroup(o: Obis): Group {
    if (o.c === 83) return 'Losses';
    if (baseAndPhase(o.c)[1]) return 'Energy by phase';
    return o.e > 0 ? 'Energy by tariff' : 'Energy';
}

export function groupOf(text: string): Group {
    const o = parseObis(text);
    if (!o || o.a !== 1) return 'Other';
    if (o.c === 0) return 'Parameters';
    if (o.d === 8 || o.d === 9 || o.d === 29) return energyGroup(o);
    if (o.d >= 31 && o.d <= 45) return 'Network quality';
    if ((o.d >= 2 && o.d <= 6) || (o.d >= 13 && o.d <= 27)) return 'Demand and averages';
    if (o.d !== 7) return 'Other';
    const [base] = baseAndPhase(o.c);
    if (QUALITY.includes(base) || (o.e > 0 && o.c !== 81)) return 'Network quality';
    return isPowerBase(base) ? 'Power' : SUPPLY.includes(base) ? 'Voltage and current' : 'Other';
}

// B: what a meter counts on the other side of its transformers has a channel of its own.
export const channelOf = (text: string): number => parseObis(text)?.b ?? 0;

// Within a group: totals first, then quantity by quantity, L1 to L3 of each. Voltages and angles
// have no total, so their order is that of SUPPLY.
export function compareObis(x: string, y: string): number {
    const key = (text: string): number[] => {
        const o = parseObis(text);
        if (!o) return [Infinity];
        const [base] = baseAndPhase(o.c);
        const supply = SUPPLY.indexOf(base);
        const phase = phaseOf(text);
        return [o.a, supply < 0 && phase ? 1 : 0, supply < 0 ? base : supply, o.d, o.c === 81 ? Number(o.e > 2) : o.e, phase, o.e];
    };
    const [p, q] = [key(x), key(y)];
    for (let i = 0; i < Math.min(p.length, q.length); i++) if (p[i] !== q[i]) return p[i]! - q[i]!;
    return x < y ? -1 : x > y ? 1 : 0;
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
