// Which stretch of time: its kind, the neighbours, the newest, and a choice of days.
import {customRange, inZone, neighbour, rangeAt, rangeTitle, type Range, type RangeKind} from '../ranges.ts';
import {isoDay, type Zone} from '../zone.ts';
import {useState} from 'preact/hooks';
import {Icon} from './icon.tsx';
import {Segments} from './segments.tsx';

const KINDS: readonly (readonly [RangeKind, string])[] = [['day', 'Day'], ['week', 'Week'], ['month', 'Month'], ['custom', 'Custom']];

interface Props {
    zone: Zone;
    range: Range;
    first: number | null;
    last: number | null;
    set: (r: Range) => void;
}

export {inZone};

export function RangeBar({zone, range, first, last, set}: Props) {
    const newest = last ?? range.to;
    const choose = (kind: RangeKind): void => set(kind === 'custom' ? {...range, kind} : rangeAt(zone, kind, Math.min(range.to - 1, newest)));
    const before = neighbour(zone, range, -1);
    const after = neighbour(zone, range, 1);
    return (
        <div class="range-bar">
            <Segments label="Range" options={KINDS} value={range.kind} set={choose} />
            <div class="range-move">
                <button type="button" class="button square" aria-label="Earlier" disabled={first !== null && before.to <= first} onClick={() => set(before)}><Icon name="left" /></button>
                <h3 class="range-title" aria-live="polite">{rangeTitle(zone, range)}</h3>
                <button type="button" class="button square" aria-label="Later" disabled={after.from >= newest} onClick={() => set(after)}><Icon name="right" /></button>
            </div>
            <button type="button" class="button" disabled={newest > range.from && newest <= range.to}
                onClick={() => set(range.kind === 'custom' ? rangeAt(zone, 'week', newest) : rangeAt(zone, range.kind, newest))}>Newest</button>
            {range.kind === 'custom' && <CustomDays zone={zone} range={range} set={set} />}
        </div>
    );
}

function CustomDays({zone, range, set}: Pick<Props, 'zone' | 'range' | 'set'>) {
    const [first, setFirst] = useState(() => isoDay(zone, range.from));
    const [last, setLast] = useState(() => isoDay(zone, range.to - 1));
    const wanted = customRange(zone, first, last);
    const apply = (e: Event): void => {
        e.preventDefault();
        if (wanted) set(wanted);
    };
    return (
        <form class="custom-days" onSubmit={apply}>
            <label>From <input type="date" required value={first} onInput={(e) => setFirst(e.currentTarget.value)} /></label>
            <label>to <input type="date" required value={last} onInput={(e) => setLast(e.currentTarget.value)} /></label>
            <button type="submit" class="button" disabled={!wanted}>Show</button>
            {!wanted && <span class="bad-text" role="alert">The days must be in order and at most 399 apart.</span>}
        </form>
    );
}
