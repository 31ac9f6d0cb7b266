// Days, months and axis lines across the changes of the clocks.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {customRange, days, inZone, neighbour, rangeAt, rangeTitle} from '../src/ranges.ts';
import {timeTicks} from '../src/ticks.ts';
import {clock, dayStart, instant, isoDay, longDay, meterZone, monthStart, offset, offsetName, parseDay, UTC, wall, type Zone} from '../src/zone.ts';

const berlin: Zone = {kind: 'iana', name: 'Europe/Berlin'};
const lordHowe: Zone = {kind: 'iana', name: 'Australia/Lord_Howe'}; // half an hour of summer time
const utc = (text: string): number => Date.parse(text) / 1000;
const hours = (a: number, b: number): number => (b - a) / 3600;

test('offset follows the rules of the zone', () => {
    assert.equal(offset(berlin, utc('2026-01-15T00:00:00Z')), 3600);
    assert.equal(offset(berlin, utc('2026-07-15T00:00:00Z')), 7200);
    assert.equal(offset(berlin, utc('2026-03-29T00:59:59Z')), 3600);
    assert.equal(offset(berlin, utc('2026-03-29T01:00:00Z')), 7200);
    assert.equal(offset(lordHowe, utc('2026-01-15T00:00:00Z')), 11 * 3600);
    assert.equal(offset(lordHowe, utc('2026-07-15T00:00:00Z')), 10.5 * 3600);
    assert.equal(offset(meterZone(-330), 0), -330 * 60);
});

test('instant takes the first of two and the end of a skip', () => {
    assert.equal(instant(berlin, 2026, 10, 25, 2.5 * 3600), utc('2026-10-25T00:30:00Z')); // 02:30 comes twice
    assert.equal(instant(berlin, 2026, 3, 29, 2.5 * 3600), utc('2026-03-29T01:00:00Z')); // 02:30 never comes
    assert.equal(instant(berlin, 2026, 3, 29, 3 * 3600), utc('2026-03-29T01:00:00Z'));
    assert.equal(instant(UTC, 2026, 3, 29, 1), utc('2026-03-29T00:00:01Z'));
    assert.equal(instant(berlin, 2026, 13, 1), utc('2026-12-31T23:00:00Z')); // months carry over
});

test('instant and wall agree at every quarter of an hour of a year', () => {
    for (const zone of [berlin, lordHowe, UTC, meterZone(345)])
        for (let t = utc('2026-01-01T00:00:00Z'); t < utc('2027-01-01T00:00:00Z'); t += 4500) {
            const w = wall(zone, t);
            const back = instant(zone, w.year, w.month, w.day, w.hour * 3600 + w.minute * 60 + w.second);
            assert.ok(back === t || back + 1800 === t || back + 3600 === t, `${t} ${back}`); // of two, the first
        }
});

test('a day of the clock change has 23 or 25 hours', () => {
    const spring = rangeAt(berlin, 'day', utc('2026-03-29T12:00:00Z'));
    assert.equal(hours(spring.from, spring.to), 23);
    const autumn = rangeAt(berlin, 'day', utc('2026-10-25T12:00:00Z'));
    assert.equal(hours(autumn.from, autumn.to), 25);
    const week = rangeAt(berlin, 'week', utc('2026-10-27T12:00:00Z'));
    assert.equal(hours(week.from, week.to), 7 * 24 + 1);
    assert.equal(days(berlin, week).length, 7);
    assert.ok(days(berlin, week).every((t) => clock(berlin, t) === '00:00'));
});

test('months are calendar months and neighbours undo each other', () => {
    const march = rangeAt(berlin, 'month', utc('2026-03-15T12:00:00Z'));
    assert.equal(hours(march.from, march.to), 31 * 24 - 1);
    assert.equal(isoDay(berlin, neighbour(berlin, march, -1).from), '2026-02-01');
    for (const kind of ['day', 'week', 'month'] as const) {
        let r = rangeAt(berlin, kind, utc('2026-03-27T12:00:00Z'));
        const start = r;
        for (let i = 0; i < 9; i++) r = neighbour(berlin, r, 1);
        for (let i = 0; i < 9; i++) r = neighbour(berlin, r, -1);
        assert.deepEqual(r, start);
    }
    assert.equal(neighbour(berlin, march, 1).from, march.to);
    assert.equal(monthStart(berlin, march.from, -12), utc('2025-02-28T23:00:00Z'));
});

test('a week ends with the day that was asked for', () => {
    const r = rangeAt(UTC, 'week', utc('2026-11-21T06:00:00Z'));
    assert.equal(isoDay(UTC, r.from), '2026-11-15');
    assert.equal(r.to, utc('2026-11-22T00:00:00Z'));
});

test('custom ranges take both days and refuse nonsense', () => {
    const r = customRange(berlin, '2026-03-28', '2026-03-29')!;
    assert.equal(hours(r.from, r.to), 47);
    assert.equal(customRange(berlin, '2026-03-29', '2026-03-28'), null);
    assert.equal(customRange(berlin, '2026-02-30', '2026-03-28'), null);
    assert.equal(customRange(berlin, '2025-01-01', '2026-12-31'), null);
    assert.equal(customRange(berlin, '', ''), null);
    assert.equal(parseDay(UTC, '2026-1-1'), null);
});

test('a change of the zone keeps the days', () => {
    const r = rangeAt(berlin, 'day', utc('2026-11-20T12:00:00Z'));
    const moved = inZone(r, berlin, UTC);
    assert.deepEqual([moved.from, moved.to], [utc('2026-11-20T00:00:00Z'), utc('2026-11-21T00:00:00Z')]);
});

test('ticks stand at round wall-clock times on both sides of a change', () => {
    const r = rangeAt(berlin, 'day', utc('2026-10-25T12:00:00Z'));
    const ticks = timeTicks(berlin, r.from, r.to, 10);
    assert.ok(ticks.length >= 5 && ticks.length <= 11);
    for (const k of ticks) assert.equal(wall(berlin, k.t).hour % 3, 0, k.label);
    assert.equal(ticks[0]!.label, 'Sun 25');
    const spring = rangeAt(berlin, 'day', utc('2026-03-29T12:00:00Z'));
    const labels = timeTicks(berlin, spring.from, spring.to, 30).map((k) => k.label);
    assert.ok(!labels.includes('02:00') && labels.includes('01:00') && labels.includes('03:00'));
    assert.equal(new Set(labels).size, labels.length);
});

test('ticks are no more than fit, for minutes as for a year', () => {
    const t = utc('2026-11-01T00:00:00Z');
    for (const s of [1800, 7200, 86400, 7 * 86400, 31 * 86400, 399 * 86400])
        for (const n of [3, 8, 15]) {
            const ticks = timeTicks(berlin, t, t + s, n);
            assert.ok(ticks.length >= 1 && ticks.length <= n + 1, `${s} ${n} ${ticks.length}`);
            for (let i = 1; i < ticks.length; i++) assert.ok(ticks[i]!.t > ticks[i - 1]!.t);
        }
});

test('times are said in words', () => {
    const t = utc('2026-11-20T13:15:00Z');
    assert.equal(longDay(berlin, t), 'Fri 20 Nov 2026');
    assert.equal(clock(berlin, t), '14:15');
    assert.equal(offsetName(3600), 'UTC+01:00');
    assert.equal(offsetName(-12600), 'UTC\u221203:30');
    assert.equal(rangeTitle(berlin, rangeAt(berlin, 'month', t)), 'Nov 2026');
    assert.equal(rangeTitle(berlin, rangeAt(berlin, 'week', t)), 'Sat 14 Nov \u2013 Fri 20 Nov 2026');
    assert.equal(dayStart(berlin, t), utc('2026-11-19T23:00:00Z'));
});
