// Energy of each day of the range as bars; a bar opens its day. Arrow keys go from bar to bar.
import {useRef, useState} from 'preact/hooks';
import type {Column} from '../api.ts';
import {toNumber} from '../decimal.ts';
import {exact, NONE, prefixFor, roundedFigure} from '../format.ts';
import type {DayTotal} from '../series.ts';
import {dayName, longDay, wall, weekday, type Zone} from '../zone.ts';

interface Props {
    totals: DayTotal[];
    column: Column;
    color: number;
    zone: Zone;
    open: (day: number) => void;
}

export function DayBars({totals, column, color, zone, open}: Props) {
    const [at, setAt] = useState(0);
    const list = useRef<HTMLUListElement>(null);
    const greatest = Math.max(...totals.map((d) => (d.sum ? toNumber(d.sum) : 0)));
    const prefix = prefixFor(Math.max(greatest, column.unit.endsWith('h') ? 1000 : 0), column.unit);
    const move = (e: KeyboardEvent): void => {
        const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
        if (!step) return;
        e.preventDefault();
        const to = Math.min(Math.max(at + step, 0), totals.length - 1);
        setAt(to);
        (list.current?.children[to]?.firstElementChild as HTMLElement | null)?.focus();
    };
    const label = (d: DayTotal): string => {
        const figure = d.sum ? `${exact(d.sum, prefix)} ${prefix.unit}` : 'no data';
        return `${longDay(zone, d.from)}: ${figure}${d.expected > d.n ? `, ${d.n} of ${d.expected} rows` : ''}`;
    };
    const many = totals.length > 10;
    return (
        <div class="day-bars">
            <div class="day-scale" aria-hidden="true"><span>{roundedFigure(greatest, column.unit, 3).text} {roundedFigure(greatest, column.unit, 3).unit}</span><span>0</span></div>
            <ul ref={list} onKeyDown={move} aria-label={`Daily totals in ${prefix.unit}`}>
                {totals.map((d, i) => {
                    const value = d.sum ? toNumber(d.sum) : 0;
                    const w = wall(zone, d.from);
                    const sunday = weekday(zone, d.from) % 6 === 0;
                    return (
                        <li key={d.from}>
                            <button type="button" tabIndex={i === Math.min(at, totals.length - 1) ? 0 : -1} aria-label={label(d)} title={label(d)}
                                onFocus={() => setAt(i)} onClick={() => open(d.from)}>
                                <span class="bar-space" aria-hidden="true">
                                    <span class={`bar c${color} ${d.expected > d.n ? 'partial' : ''}`} style={{height: `${greatest > 0 ? (value / greatest) * 100 : 0}%`}} />
                                    {!d.sum && d.expected > 0 && <span class="bar-none">{NONE}</span>}
                                </span>
                                <span class={`bar-day ${sunday ? 'weekend' : ''} ${many && w.day !== 1 && w.day % 5 ? 'minor' : ''}`} aria-hidden="true">{!many && <span class="bar-weekday">{dayName(zone, d.from)} </span>}{w.day}</span>
                            </button>
                        </li>
                    );
                })}
            </ul>
        </div>
    );
}
