// Exact decimals: what a register holds is shown to its last digit, never through binary fractions.
//
// A value is digits x 10^exponent. Refuses multipliers that are not whole: see scaled().

export interface Decimal {
    digits: bigint;
    exponent: number;
}

// raw x 10^scaler x multiplier; null where the raw number is too large to have come exactly
// (JSON numbers are doubles) or the multiplier is not whole.
export function scaled(raw: number, scaler: number, multiplier: number): Decimal | null {
    if (!Number.isSafeInteger(raw) || !Number.isSafeInteger(multiplier)) return null;
    return {digits: BigInt(raw) * BigInt(multiplier), exponent: scaler};
}

export function add(a: Decimal, b: Decimal): Decimal {
    const exponent = Math.min(a.exponent, b.exponent);
    return {digits: at(a, exponent) + at(b, exponent), exponent};
}

export function negate(a: Decimal): Decimal {
    return {digits: -a.digits, exponent: a.exponent};
}

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b));
export const isZero = (a: Decimal): boolean => a.digits === 0n;
export const shift = (a: Decimal, by: number): Decimal => ({digits: a.digits, exponent: a.exponent + by});

function at(a: Decimal, exponent: number): bigint {
    return a.digits * 10n ** BigInt(a.exponent - exponent);
}

export function toNumber(a: Decimal): number {
    return Number(`${a.digits}e${a.exponent}`);
}

// "-1234.50": all digits, a point, no groups; a positive exponent is written out as zeros.
export function plain(a: Decimal): string {
    const sign = a.digits < 0n ? '-' : '';
    const digits = (a.digits < 0n ? -a.digits : a.digits).toString();
    if (a.exponent >= 0) return sign + (digits === '0' ? '0' : digits + '0'.repeat(a.exponent));
    const padded = digits.padStart(1 - a.exponent, '0');
    return `${sign}${padded.slice(0, a.exponent)}.${padded.slice(a.exponent)}`;
}
