// From rows to the curve: power, differences, gaps, sums against the register.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Column, Register, Rows} from '../src/api.ts';
import {channels, curveData, drawable, units, usual} from '../src/curve_data.ts';
import {plain} from '../src/decimal.ts';
import {byObis, normal, phasors, quantities} from '../src/instant.ts';
import {qualityAt} from '../src/meter_state.ts';
import {channelName, channelOf, compareObis, groupOf, isFlagged, phaseOf, registerOf, statusWords, withPhase} from '../src/obis.ts';
import {meterLink, parseRoute} from '../src/routes.ts';
import {dayTotals, duration, gaps, isEnergyOfIntervals, seriesOf, totalOf, type View} from '../src/series.ts';
import {UTC} from '../src/zone.ts';

const T = 1795132800; // 2026-11-20T00:00:00Z
const P = 900;
const column = (obis: string, kind: Column['kind'], unit = 'Wh', scaler = -1, multiplier = 1): Column =>
    ({obis, class: 3, attribute: 2, name: obis, unit, scaler, multiplier, kind});
const REGISTER = column('1-0:1.8.0.255', 'register');
const INTERVAL = column('1-0:1.29.0.255', 'interval');
const POWER: View = {energy: 'power', register: 'difference'};

function rowsOf(t: number[], register: (number | null)[], interval: (number | null)[]): Rows {
    return {obis: '1-0:99.1.0.255', period_s: P, from: T, to: T + 86401, columns: [REGISTER, INTERVAL], t, zone_min: 0,
        status: t.map(() => 0), values: [register, interval]};
}

const grid = (...n: number[]): number[] => n.map((i) => T + i * P);
const day = {kind: 'day', from: T, to: T + 86400} as const;

test('an interval is shown as average power', () => {
    const s = seriesOf(rowsOf(grid(0, 1, 2), [1000, 1100, 1150], [7, 100, 50]), 1, POWER);
    assert.equal(s.unit, 'W');
    assert.ok(s.step);
    assert.deepEqual(s.values, [null, 40, 20]); // the row at the border belongs to the day before
    assert.deepEqual(seriesOf(rowsOf(grid(1), [0], [100]), 1, {...POWER, energy: 'energy'}).values, [10]);
});

test('a row off the grid stands for its shorter interval', () => {
    const t = [T + 900, T + 1200, T + 1800];
    assert.deepEqual([duration(t, 0, P), duration(t, 1, P), duration(t, 2, P)], [900, 300, 600]);
    assert.deepEqual(seriesOf(rowsOf(t, [0, 0, 0], [100, 100, 100]), 1, POWER).values, [40, 120, 60]);
});

test('registers give differences only between neighbours', () => {
    const rows = rowsOf(grid(0, 1, 3, 4, 5), [1000, 1100, 1500, null, 1600], [0, 0, 0, 0, 0]);
    assert.deepEqual(seriesOf(rows, 0, {energy: 'energy', register: 'difference'}).values, [null, 10, null, null, null]);
    const reading = seriesOf(rows, 0, {energy: 'power', register: 'reading'});
    assert.deepEqual(reading.values, [100, 110, 150, null, 160]);
    assert.deepEqual([reading.unit, reading.step], ['Wh', false]);
});

test('a register that falls is no consumption', () => {
    assert.deepEqual(seriesOf(rowsOf(grid(1, 2), [1000, 10], [0, 0]), 0, POWER).values, [null, null]);
});

test('gaps are found inside and at both ends, and not beyond the data', () => {
    const t = grid(2, 3, 6, 7);
    assert.deepEqual(gaps(t, P, day, T, T + 9 * P), [
        {from: T, to: T + P, n: 1}, {from: T + 3 * P, to: T + 5 * P, n: 2}, {from: T + 7 * P, to: T + 9 * P, n: 2},
    ]);
    assert.deepEqual(gaps(t, P, day, T + 2 * P, T + 7 * P), [{from: T + 3 * P, to: T + 5 * P, n: 2}]);
    assert.deepEqual(gaps([], P, day, T - 86400, T + 2 * 86400), [{from: T, to: T + 86400, n: 96}]);
    assert.deepEqual(gaps([], P, day, null, null), []);
    assert.deepEqual(gaps(grid(...Array.from({length: 97}, (_, i) => i)), P, day, T - 1e6, T + 1e6), []);
});

test('the sum of the intervals equals the rise of the register', () => {
    const n = 96;
    const interval = Array.from({length: n + 1}, (_, i) => 37 + ((i * 7919) % 1000));
    const register = interval.map((_, i) => 9007199254000000 + interval.slice(1, i + 1).reduce((a, b) => a + b, 0));
    const rows = rowsOf(grid(...interval.map((_, i) => i)), register, interval);
    const total = totalOf(rows, 1, day);
    assert.equal(total.n, n);
    assert.equal(total.since, T);
    assert.equal(total.equal, true);
    assert.equal(plain(total.sum!), plain(total.rise!));
    register[n]!++;
    const off = totalOf({...rows, values: [register, interval]}, 1, day);
    assert.equal(off.equal, false);
});

test('a sum without the row at the border is compared from the first row on', () => {
    const total = totalOf(rowsOf(grid(1, 2, 3), [1000, 1010, 1030], [500, 10, 20]), 1, day);
    assert.equal(plain(total.sum!), '53.0');
    assert.equal(plain(total.sumSince!), '3.0');
    assert.equal(plain(total.rise!), '3.0');
    assert.equal(total.since, T + P);
    assert.equal(total.equal, true);
    assert.equal(totalOf(rowsOf([], [], []), 1, day).n, 0);
});

test('transformer ratios count once in sum and rise', () => {
    const rows = {...rowsOf(grid(0, 1), [5, 8], [0, 3]), columns: [column('1-0:1.8.0.255', 'register', 'Wh', -2, 8000), column('1-0:1.29.0.255', 'interval', 'Wh', -2, 8000)]};
    const total = totalOf(rows, 1, day);
    assert.equal(plain(total.sum!), '240.00');
    assert.equal(total.equal, true);
});

test('daily totals take rows up to midnight and count what is expected', () => {
    const two = {kind: 'custom', from: T, to: T + 2 * 86400} as const;
    const t = grid(1, 2, 96, 97);
    const totals = dayTotals(rowsOf(t, [0, 0, 0, 0], [1, 2, 4, 8]), 1, UTC, two, T, T + 97 * P);
    assert.deepEqual(totals.map((d) => [plain(d.sum!), d.n, d.expected]), [['0.7', 3, 96], ['0.8', 1, 1]]);
});

test('at most two units are drawn', () => {
    const columns = [REGISTER, column('1-0:3.8.0.255', 'register', 'varh'), INTERVAL, column('1-0:32.7.0.255', 'instant', 'V')];
    const list = channels(columns, {energy: 'power', register: 'reading'});
    assert.equal(list[0]!.column, INTERVAL); // intervals first
    const all = list.map((c) => c.key);
    assert.equal(units(list, all).length, 4);
    assert.equal(new Set(drawable(list, all).map((c) => c.unit)).size, 2);
    assert.deepEqual(usual(list, undefined), [list[0]!.key]);
    const other = channels([INTERVAL, column('1-0:2.29.0.255', 'interval')], POWER);
    const rows = {...rowsOf(grid(1), [5], [0]), columns: [INTERVAL, column('1-0:2.29.0.255', 'interval')]};
    assert.deepEqual(usual(other, rows), [other[0]!.key]);
    assert.equal(new Set(channels([INTERVAL, INTERVAL], POWER).map((c) => c.key)).size, 2);
});

test('values of an instant have colours and signs of their own', () => {
    const voltages = ['32', '52', '72', '31', '51', '71'].map((c) => column(`1-0:${c}.7.0.255`, 'instant', 'V', 0));
    assert.equal(new Set(channels(voltages, POWER).map((c) => c.color)).size, 6);
    const fixed = channels([INTERVAL, REGISTER, ...voltages], POWER);
    assert.deepEqual(fixed.filter((c) => c.column === INTERVAL || c.column === REGISTER).map((c) => c.color), [0, 4]);
    assert.ok(fixed.every((c) => c.column === INTERVAL || c.column === REGISTER || (c.color !== 0 && c.color !== 4)));
    assert.deepEqual(voltages.map((c) => isEnergyOfIntervals(c, POWER)).concat(isEnergyOfIntervals(INTERVAL, POWER)), [...voltages.map(() => false), true]);
    const distortion = {...rowsOf(grid(1), [5], [0]), columns: [column('1-0:32.7.124.255', 'instant', 'percent', 0)]};
    assert.equal(curveData(distortion, channels(distortion.columns, POWER), POWER, day, UTC, T, T).axes[0]!.name, '%');
});

test('curve data marks rows with a status and chooses the prefix', () => {
    const rows = rowsOf(grid(0, 1, 2), [0, 0, 0], [0, 1000000, 5]);
    rows.status = [0x80, 0x08, 0x82];
    const list = channels(rows.columns, POWER);
    const d = curveData(rows, list.slice(0, 1), POWER, day, UTC, T, T + 2 * P);
    assert.deepEqual(d.flagged, [2]);
    assert.deepEqual(d.axes, [{unit: 'W', name: 'kW', shift: 3}]);
});

test('status bits are said in words', () => {
    assert.equal(statusWords(0x86), 'clock invalid, not valid, power was down');
    assert.equal(statusWords(0x100), 'status 0x100');
    assert.equal(statusWords(0), '');
    assert.ok(!isFlagged(0x08) && isFlagged(0x09));
});

test('codes are put in groups and phases', () => {
    assert.equal(groupOf('1-0:1.8.0.255'), 'Energy');
    assert.equal(groupOf('1-0:61.8.0.255'), 'Energy by phase');
    assert.equal(groupOf('1-0:150.8.0.255'), 'Energy by phase');
    assert.equal(groupOf('1-0:1.8.3.255'), 'Energy by tariff');
    assert.equal(groupOf('1-0:83.8.7.255'), 'Losses');
    assert.equal(groupOf('1-0:1.6.0.255'), 'Demand and averages');
    assert.equal(groupOf('1-0:32.15.0.255'), 'Demand and averages');
    assert.equal(groupOf('1-0:31.7.124.255'), 'Network quality');
    assert.equal(groupOf('1-0:131.7.0.255'), 'Network quality');
    assert.equal(groupOf('1-0:12.32.0.255'), 'Network quality');
    assert.equal(groupOf('1-0:0.3.0.255'), 'Parameters');
    assert.equal(groupOf('1-0:135.7.0.255'), 'Power');
    assert.equal(groupOf('1-0:52.7.0.255'), 'Voltage and current');
    assert.equal(groupOf('1-0:81.7.26.255'), 'Voltage and current');
    assert.equal(groupOf('1-0:33.7.0.255'), 'Power');
    assert.equal(groupOf('0-0:96.1.0.255'), 'Other');
    assert.deepEqual(['1-0:1.7.0.255', '1-0:21.7.0.255', '1-0:52.7.0.255', '1-0:73.7.0.255', '1-0:81.7.15.255', '1-0:91.7.0.255'].map(phaseOf), [0, 1, 2, 3, 2, 0]);
    assert.equal(registerOf('1-0:2.29.0.255'), '1-0:2.8.0.255');
    assert.equal(registerOf('1-0:2.8.0.255'), null);
    assert.equal(channelName('1-0:1.8.0.255', 'Active energy import', 'register'), 'Import register');
    assert.equal(withPhase('1-0:21.7.0.255', 'Active power import'), 'Active power import, L1');
    assert.equal(withPhase('1-0:21.7.0.255', 'Active power import, L1'), 'Active power import, L1');
});

test('registers stand in the order of reading: totals, then phases, quantity by quantity', () => {
    const sorted = (codes: string[]): string[] => codes.map((c) => `1-0:${c}.255`).sort(compareObis).map((c) => c.slice(4, -4));
    assert.deepEqual(sorted(['14.7.0', '31.7.0', '32.7.0', '51.7.0', '52.7.0', '81.7.0', '81.7.1', '81.7.4', '91.7.0']),
        ['32.7.0', '52.7.0', '31.7.0', '51.7.0', '81.7.0', '81.7.1', '81.7.4', '14.7.0', '91.7.0']);
    assert.deepEqual(sorted(['21.7.0', '1.7.0', '41.7.0', '2.7.0', '22.7.0', '130.7.0', '150.7.0']),
        ['1.7.0', '2.7.0', '130.7.0', '21.7.0', '41.7.0', '22.7.0', '150.7.0']);
    assert.deepEqual(sorted(['1.8.10', '2.8.1', '1.8.2', '10.8.1', '1.29.0']), ['1.8.2', '1.8.10', '1.29.0', '2.8.1', '10.8.1']);
    assert.equal(channelOf('1-1:1.8.0.255'), 1);
});

const register = (obis: string, value: number): Register => ({obis: `1-0:${obis}.255`, class: 3, attribute: 2, name: '', raw: null, scaler: 0, multiplier: 1,
    unit: '', value, at: null, age_s: null, quality: 'fresh', result: 'success'});

test('phasors use measured angles, else powers, else the power factor', () => {
    const voltages = [register('32.7.0', 230), register('52.7.0', 231), register('72.7.0', 229)];
    const measured = phasors(byObis([...voltages, ...[['81.7.0', 0], ['81.7.1', -120], ['81.7.2', 120], ['81.7.4', 30]].map(([o, v]) => register(o as string, v as number))]))!;
    assert.deepEqual(measured.list.map((p) => p.uAngle), [0, -120, 120]);
    assert.equal(measured.list[0]!.phi, 30);
    assert.deepEqual(measured.assumed, []);
    const power = phasors(byObis([...voltages, register('21.7.0', 100), register('23.7.0', 100), register('42.7.0', 100), register('43.7.0', 0)]))!;
    assert.ok(Math.abs(power.list[0]!.phi! - 45) < 1e-9);
    assert.ok(Math.abs(power.list[1]!.phi! - 180) < 1e-9); // export
    assert.equal(power.list[2]!.phi, null);
    assert.equal(power.assumed.length, 2);
    const factor = phasors(byObis([register('32.7.0', 230), register('33.7.0', 0.5)]))!;
    assert.ok(Math.abs(factor.list[0]!.phi! - 60) < 1e-9);
    assert.equal(factor.list[0]!.uAngle, 0);
    assert.equal(phasors(byObis([register('1.8.0', 1)])), null);
    assert.deepEqual([normal(190), normal(-180), normal(540)], [-170, 180, 180]);
});

test('the table of this instant nets import and export', () => {
    const q = quantities(byObis([register('1.7.0', 0), register('2.7.0', 500), register('14.7.0', 50), register('21.7.0', 0), register('22.7.0', 500)]));
    assert.deepEqual(q.map((x) => [x.label, x.total]), [['Active power', -500], ['Frequency', 50]]);
    assert.deepEqual(q[0]!.phases, [-500, null, null]);
});

test('addresses are read as they are written', () => {
    assert.deepEqual(parseRoute(meterLink(3, 'day', '2026-11-20')), {page: 'meter', id: 3, range: 'day', day: '2026-11-20', to: null});
    assert.deepEqual(parseRoute(''), {page: 'meters'});
    assert.deepEqual(parseRoute('#/meters/3?range=century'), {page: 'meter', id: 3, range: null, day: null, to: null});
    assert.deepEqual(parseRoute('#/meters/x'), {page: 'unknown'});
});

test('what was fresh becomes stale by its age alone', () => {
    assert.equal(qualityAt('fresh', '2026-11-20T00:00:00Z', 150, T + 150), 'fresh');
    assert.equal(qualityAt('fresh', '2026-11-20T00:00:00Z', 150, T + 151), 'stale');
    assert.equal(qualityAt('never', null, 150, T), 'never');
    assert.equal(qualityAt('stale', '2026-11-20T00:00:00Z', 150, T), 'stale'); // the head-end's word stands
});
