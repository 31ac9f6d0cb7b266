// Wall-clock time in a zone: days, months and their borders in epoch seconds.
//
// A zone is an IANA name (the browser knows its rules) or a fixed offset (UTC, the meter's clock).
// Days are 23 or 25 hours long where the clocks change; nothing here adds 86 400 and hopes.

export type Zone = {kind: 'iana'; name: string} | {kind: 'fixed'; minutes: number; name: string};

export const UTC: Zone = {kind: 'fixed', minutes: 0, name: 'UTC'};

export function browserZone(): Zone {
    return {kind: 'iana', name: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'};
}

export function meterZone(minutes: number): Zone {
    return {kind: 'fixed', minutes, name: 'the meter\u2019s own time'};
}

export interface Wall {
    year: number;
    month: number; // 1..12
    day: number;
    hour: number;
    minute: number;
    second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string): Intl.DateTimeFormat {
    let found = formats.get(name);
    if (!found) {
        found = new Intl.DateTimeFormat('en-GB', {
            timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
            hour: 'numeric', minute: 'numeric', second: 'numeric',
        });
        formats.set(name, found);
    }
    return found;
}

const offsets = new Map<string, number>();

// Seconds that the zone's clocks are ahead of UTC at t. Asked once for each quarter of an hour:
// no zone has changed its clocks at another time since 1972.
export function offset(zone: Zone, t: number): number {
    if (zone.kind === 'fixed') return zone.minutes * 60;
    const quarter = Math.floor(t / 900) * 900;
    const key = `${zone.name} ${quarter}`;
    let found = offsets.get(key);
    if (found === undefined) {
        const part: Record<string, number> = {};
        for (const p of format(zone.name).formatToParts(new Date(quarter * 1000))) part[p.type] = Number(p.value);
        found = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) / 1000 - quarter;
        if (offsets.size > 50000) offsets.clear();
        offsets.set(key, found);
    }
    return found;
}

export function wall(zone: Zone, t: number): Wall {
    const d = new Date((t + offset(zone, t)) * 1000);
    return {
        year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(),
        hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds(),
    };
}

// The instant at which the zone's clocks show this; the first of two, and where clocks skip it the
// instant of the skip's end.
export function instant(zone: Zone, year: number, month: number, day: number, seconds = 0): number {
    const local = Date.UTC(year, month - 1, day) / 1000 + seconds;
    const before = offset(zone, local - 86400);
    const after = offset(zone, local + 86400);
    const fits = [local - before, local - after].filter((t) => t + offset(zone, t) === local);
    if (fits.length) return Math.min(...fits);
    let t = Math.floor((local - after) / 900) * 900;
    while (offset(zone, t) !== after) t += 900;
    return t;
}

export function dayStart(zone: Zone, t: number, days = 0): number {
    const w = wall(zone, t);
    return instant(zone, w.year, w.month, w.day + days);
}

export function monthStart(zone: Zone, t: number, months = 0): number {
    const w = wall(zone, t);
    return instant(zone, w.year, w.month + months, 1);
}

const two = (n: number): string => String(n).padStart(2, '0');

// "2026-11-20": also the value of a date field.
export function isoDay(zone: Zone, t: number): string {
    const w = wall(zone, t);
    return `${w.year}-${two(w.month)}-${two(w.day)}`;
}

// The start of the day "2026-11-20" in the zone; null for anything else.
export function parseDay(zone: Zone, text: string): number | null {
    const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
    if (!m) return null;
    const t = instant(zone, Number(m[1]), Number(m[2]), Number(m[3]));
    return isoDay(zone, t) === text ? t : null;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export const monthName = (month: number): string => MONTHS[month - 1]!;

export function weekday(zone: Zone, t: number): number {
    return new Date((t + offset(zone, t)) * 1000).getUTCDay();
}

export const dayName = (zone: Zone, t: number): string => DAYS[weekday(zone, t)]!;

// "Fri 20 Nov 2026"
export function longDay(zone: Zone, t: number): string {
    const w = wall(zone, t);
    return `${dayName(zone, t)} ${w.day} ${monthName(w.month)} ${w.year}`;
}

export function clock(zone: Zone, t: number): string {
    const w = wall(zone, t);
    return `${two(w.hour)}:${two(w.minute)}${w.second ? `:${two(w.second)}` : ''}`;
}

// "20 Nov 2026, 14:15:05"
export function stamp(zone: Zone, t: number): string {
    const w = wall(zone, t);
    return `${w.day} ${monthName(w.month)} ${w.year}, ${clock(zone, t)}`;
}

// "UTC+01:00"
export function offsetName(seconds: number): string {
    const m = Math.round(Math.abs(seconds) / 60);
    return `UTC${seconds < 0 ? '\u2212' : '+'}${two(Math.floor(m / 60))}:${two(m % 60)}`;
}
