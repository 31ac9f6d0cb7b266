// What is shown is what the meter counted, to the last digit.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {add, isZero, plain, scaled, shift, subtract, toNumber} from '../src/decimal.ts';
import {age, exact, grouped, headlineEnergy, placesFor, prefixFor, registerFigure, rounded, sign, span} from '../src/format.ts';

const thin = (s: string): string => s.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');

test('scaled keeps every digit of a raw number', () => {
    assert.equal(plain(scaled(12345, -1, 1)!), '1234.5');
    assert.equal(plain(scaled(9007199254740991, -3, 1)!), '9007199254740.991');
    assert.equal(plain(scaled(9007199254740991, -2, 1100)!), '99079191802150901.00');
    assert.equal(plain(scaled(5, 3, 1)!), '5000');
    assert.equal(plain(scaled(0, 3, 40)!), '0');
    assert.equal(plain(scaled(-7, -3, 1)!), '-0.007');
});

test('scaled refuses what came rounded', () => {
    assert.equal(scaled(2 ** 53, 0, 1), null);
    assert.equal(scaled(1, 0, 1.5), null);
    assert.equal(scaled(1.5, 0, 1), null);
});

test('sums and differences of unlike scalers are exact', () => {
    const a = scaled(1, -1, 1)!;
    const b = scaled(2, -3, 1)!;
    assert.equal(plain(add(a, b)), '0.102');
    assert.equal(plain(subtract(b, a)), '-0.098');
    assert.ok(isZero(subtract(add(a, b), scaled(102, -3, 1)!)));
    assert.equal(toNumber(scaled(3, -1, 1)!), 0.3); // not 0.30000000000000004
    assert.equal(plain(shift(scaled(1234, 0, 1)!, -3)), '1.234');
});

test('figures are grouped by three with a real minus', () => {
    assert.equal(thin(grouped('-1234567.8901')), '-1 234 567.8901');
    assert.ok(grouped('-1').startsWith('\u2212'));
    assert.equal(grouped('999'), '999');
});

test('rounded keeps significant digits and no more', () => {
    assert.equal(rounded(0.0123456), '0.01235');
    assert.equal(thin(rounded(123456.7)), '123 457');
    assert.equal(rounded(9.9999), '10.000');
    assert.equal(rounded(0), '0');
    assert.equal(rounded(NaN), '\u2013');
    assert.equal(placesFor(230.61, 5), 2);
    assert.equal(placesFor(0, 4), 0);
});

test('prefixes follow the size', () => {
    assert.deepEqual(prefixFor(999, 'W'), {shift: 0, unit: 'W'});
    assert.deepEqual(prefixFor(-1000, 'W'), {shift: 3, unit: 'kW'});
    assert.deepEqual(prefixFor(2.5e6, 'varh'), {shift: 6, unit: 'Mvarh'});
    assert.deepEqual(prefixFor(230, 'V'), {shift: 0, unit: 'V'});
    assert.deepEqual(prefixFor(1100, 'V'), {shift: 0, unit: 'V'});
    assert.deepEqual(prefixFor(63500, 'V'), {shift: 3, unit: 'kV'});
    assert.deepEqual(prefixFor(50, 'Hz'), {shift: 0, unit: 'Hz'});
});

test('a register shows all its digits in kWh', () => {
    const f = registerFigure(123456789, -1, 1, 'Wh', 12345678.9);
    assert.deepEqual([thin(f.text), f.unit], ['12 345.6789', 'kWh']);
    const ratio = registerFigure(1001, -2, 8000, 'Wh', 80080);
    assert.deepEqual([ratio.text, ratio.unit], ['80.08000', 'kWh']);
    assert.equal(registerFigure(null, 0, 1, 'Wh', null).text, '\u2013');
    assert.equal(registerFigure(-1203, -1, 1, 'degrees', -120.3).unit, '°');
    assert.equal(thin(exact(scaled(1234567, 0, 1)!, {shift: 3, unit: 'kWh'})), '1 234.567');
    assert.equal(thin(headlineEnergy(1234567.8, 'Wh').text), '1 234.6');
});

test('units and ages read as words', () => {
    assert.equal(sign('percent'), '%');
    assert.equal(sign('degC'), '°C');
    assert.equal(age(null), 'never');
    assert.equal(age(0.4), 'now');
    assert.equal(age(59.9), '59 s ago');
    assert.equal(span(3600), '1 h');
    assert.equal(span(3 * 86400), '3 days');
});
