// The rows behind the curve as a table: for readers by ear, and for those who want the figures.
import {useState} from 'preact/hooks';
import type {Rows} from '../api.ts';
import type {ChartData} from '../chart.ts';
import {fixed, NONE, placesFor, whole} from '../format.ts';
import {statusWords} from '../obis.ts';
import {clock, stamp} from '../zone.ts';
import {duration} from '../series.ts';

const PAGE = 96;

interface Props {
    data: Pick<ChartData, 't' | 'axes' | 'zone' | 'period'> & {lines: {key: string; label: string; unit: string; step: boolean; values: (number | null)[]}[]};
    rows: Rows;
    from: number;
    to: number;
}

export function CurveTable({data: d, rows, from, to}: Props) {
    const [page, setPage] = useState(0);
    const first = d.t.findIndex((t) => t > from);
    const last = d.t.findLastIndex((t) => t <= to);
    const n = first < 0 ? 0 : Math.max(0, last - first + 1);
    if (!n) return <p class="none">There are no rows in this range.</p>;
    const pages = Math.ceil(n / PAGE);
    const at = Math.min(page, pages - 1);
    const list = Array.from({length: Math.min(PAGE, n - at * PAGE)}, (_, i) => first + at * PAGE + i);
    const anyStep = d.lines.some((l) => l.step);
    const columns = d.lines.map((l) => {
        const axis = d.axes.find((a) => a.unit === l.unit);
        const scale = 10 ** (axis?.shift ?? 0);
        const greatest = list.reduce((m, i) => Math.max(m, Math.abs(l.values[i] ?? 0)), 0) / scale;
        return {...l, name: axis?.name ?? l.unit, scale, places: placesFor(greatest, l.step ? 5 : 8)};
    });
    return (
        <div>
            <div class="scroll tall" tabIndex={0} role="region" aria-label="Rows of the load profile">
                <table class="rows">
                    <caption class="hidden">Rows of the load profile</caption>
                    <thead>
                        <tr>
                            <th scope="col">{anyStep ? 'Interval' : 'Time'}</th>
                            {columns.map((l) => <th key={l.key} scope="col" class="number">{l.name ? `${l.label}, ${l.name}` : l.label}</th>)}
                            <th scope="col">Status</th>
                        </tr>
                    </thead>
                    <tbody>
                        {list.map((i) => (
                            <tr key={i}>
                                <th scope="row">{anyStep ? `${stamp(d.zone, d.t[i]! - duration(d.t, i, d.period))}\u2009\u2013\u2009${clock(d.zone, d.t[i]!)}` : stamp(d.zone, d.t[i]!)}</th>
                                {columns.map((l) => {
                                    const v = l.values[i];
                                    return <td key={l.key} class="number">{v == null ? NONE : fixed(v / l.scale, l.places)}</td>;
                                })}
                                <td>{statusWords(rows.status[i] ?? 0)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
            {pages > 1 && (
                <div class="pager">
                    <button type="button" class="button" disabled={at === 0} onClick={() => setPage(at - 1)}>Earlier rows</button>
                    <span>{whole(at * PAGE + 1)}{'\u2009\u2013\u2009'}{whole(at * PAGE + list.length)} of {whole(n)}</span>
                    <button type="button" class="button" disabled={at >= pages - 1} onClick={() => setPage(at + 1)}>Later rows</button>
                </div>
            )}
        </div>
    );
}
