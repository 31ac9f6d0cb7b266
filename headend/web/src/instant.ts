// Values of this instant picked from a meter's registers: by phase and in total, and the angles for
// the phasor diagram.
//
// Angles here count anticlockwise, U(L1) = 0; the meter says U minus I, so a current that lags its
// voltage stands clockwise of it.
import type {Register} from './api.ts';

export type ByObis = Map<string, Register>;

export function byObis(registers: readonly Register[]): ByObis {
    return new Map(registers.filter((r) => r.attribute === 2).map((r) => [r.obis, r]));
}

export function valueOf(map: ByObis, code: string): number | null {
    return map.get(`1-0:${code}.255`)?.value ?? null;
}

// Import minus export; either alone where the meter has only one.
function net(map: ByObis, plus: string, minus: string): number | null {
    const a = valueOf(map, plus);
    const b = valueOf(map, minus);
    return a === null && b === null ? null : (a ?? 0) - (b ?? 0);
}

export interface Quantity {
    label: string;
    unit: string;
    phases: (number | null)[]; // L1..L3
    total: number | null;
    digits: number;
}

const PHASES = [1, 2, 3];
const C = (base: number, phase: number): number => base + phase * 20;

function sumOf(map: ByObis, a: number, b: number): Pick<Quantity, 'phases' | 'total'> {
    return {
        phases: PHASES.map((p) => net(map, `${C(a, p)}.7.0`, `${C(b, p)}.7.0`)),
        total: net(map, `${a}.7.0`, `${b}.7.0`),
    };
}

// Apparent power has no sign: of import and export one is zero.
function apparent(map: ByObis): Pick<Quantity, 'phases' | 'total'> {
    const either = (a: string, b: string): number | null => {
        const [x, y] = [valueOf(map, a), valueOf(map, b)];
        return x === null && y === null ? null : Math.max(x ?? 0, y ?? 0);
    };
    return {phases: PHASES.map((p) => either(`${C(9, p)}.7.0`, `${C(10, p)}.7.0`)), total: either('9.7.0', '10.7.0')};
}

// Rows of the table "now"; quantities that the meter lacks are left out.
export function quantities(map: ByObis): Quantity[] {
    const of = (base: number): (number | null)[] => PHASES.map((p) => valueOf(map, `${C(base, p)}.7.0`));
    const none = [null, null, null];
    const active = sumOf(map, 1, 2);
    const all: Quantity[] = [
        {label: 'Voltage', unit: 'V', phases: of(12), total: null, digits: 5},
        {label: 'Current', unit: 'A', phases: of(11), total: null, digits: 4},
        {label: 'Neutral current', unit: 'A', phases: none, total: valueOf(map, '91.7.0'), digits: 4},
        {label: 'Active power', unit: 'W', ...active, total: valueOf(map, '16.7.0') ?? active.total, digits: 4},
        {label: 'Reactive power', unit: 'var', ...sumOf(map, 3, 4), digits: 4},
        {label: 'Apparent power', unit: 'VA', ...apparent(map), digits: 4},
        {label: 'Power factor', unit: '', phases: of(13), total: valueOf(map, '13.7.0'), digits: 3},
        {label: 'Frequency', unit: 'Hz', phases: none, total: valueOf(map, '14.7.0'), digits: 4},
    ];
    return all.filter((q) => q.total !== null || q.phases.some((v) => v !== null));
}

export interface Phasor {
    phase: number;
    u: number | null; // V
    i: number | null; // A
    uAngle: number; // degrees, anticlockwise
    phi: number | null; // U minus I, -180..180; null: not known
}

export interface Phasors {
    list: Phasor[];
    assumed: string[]; // sentences about what the meter does not say
}

const ANGLE_UI = ['81.7.4', '81.7.15', '81.7.26'];
export const normal = (deg: number): number => deg - 360 * Math.ceil((deg - 180) / 360);

// From measured angles; else from the powers; else from the power factor, whose sign is not known.
function phi(map: ByObis, p: number, single: boolean): {value: number | null; source: 'angle' | 'power' | 'factor' | null} {
    const angle = valueOf(map, ANGLE_UI[p - 1]!);
    if (angle !== null) return {value: normal(angle), source: 'angle'};
    const code = (base: number, q = p): string => `${q ? C(base, q) : base}.7.0`;
    const power = (q: number): [number | null, number | null] => [net(map, code(1, q), code(2, q)), net(map, code(3, q), code(4, q))];
    let [active, reactive] = power(p);
    if (single && (active === null || reactive === null)) [active, reactive] = power(0);
    if (active !== null && reactive !== null) {
        if (active === 0 && reactive === 0) return {value: null, source: null};
        return {value: (Math.atan2(reactive, active) * 180) / Math.PI, source: 'power'};
    }
    const factor = valueOf(map, code(13)) ?? (single ? valueOf(map, '13.7.0') : null);
    if (factor === null || Math.abs(factor) > 1) return {value: null, source: null};
    return {value: (Math.acos(factor) * 180) / Math.PI, source: 'factor'};
}

export function phasors(map: ByObis): Phasors | null {
    const present = PHASES.filter((p) => valueOf(map, `${C(12, p)}.7.0`) !== null);
    if (!present.length) return null;
    const assumed: string[] = [];
    const angles = present.map((p) => valueOf(map, `81.7.${p - 1}`));
    const known = present.length === 1 || angles.every((a) => a !== null);
    if (!known) assumed.push('The meter does not measure the angles between its voltages: 120° are assumed.');
    const sources = new Set<string | null>();
    const list = present.map((p, k) => {
        const f = phi(map, p, present.length === 1);
        sources.add(f.source);
        return {
            phase: p, u: valueOf(map, `${C(12, p)}.7.0`), i: valueOf(map, `${C(11, p)}.7.0`),
            uAngle: present.length === 1 ? 0 : known ? normal(angles[k]!) : -120 * (p - 1), phi: f.value,
        };
    });
    if (sources.has('power')) assumed.push('Angles of the currents follow from active and reactive power.');
    if (sources.has('factor')) assumed.push('Angles of the currents follow from the power factor; lagging is assumed.');
    return {list, assumed};
}
