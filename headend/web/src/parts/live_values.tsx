// What the meter measures now, by phase: the table that an engineer looks at first.
import type {Register} from '../api.ts';
import {fixed, NONE, placesFor, prefixFor} from '../format.ts';
import {byObis, quantities, type Quantity} from '../instant.ts';

// The same number of places along a row: figures that are compared stand in line.
function Cell({value, shift, places}: {value: number | null; shift: number; places: number}) {
    if (value === null) return <td class="number faint">{NONE}</td>;
    return <td class="number">{fixed(value / 10 ** shift, places)}</td>;
}

const greatestOf = (q: Quantity): number => Math.max(...[...q.phases, q.total].map((v) => Math.abs(v ?? 0)));

export function LiveValues({registers}: {registers: readonly Register[]}) {
    const list = quantities(byObis(registers));
    if (!list.length) return <p class="none">No instantaneous values have been read yet.</p>;
    const phases = [0, 1, 2].filter((p) => list.some((q) => q.phases[p] !== null));
    return (
        <table class="instant">
            <caption class="hidden">Values of this instant</caption>
            <thead>
                <tr>
                    <td />
                    {phases.map((p) => <th key={p} scope="col" class="number"><span class={`phase-dot p${p + 1}`} aria-hidden="true" />L{p + 1}</th>)}
                    <th scope="col" class="number">Total</th>
                    <th scope="col">Unit</th>
                </tr>
            </thead>
            <tbody>
                {list.map((q) => {
                    const prefix = prefixFor(greatestOf(q), q.unit);
                    const places = q.unit === '' ? 3 : placesFor(greatestOf(q) / 10 ** prefix.shift, q.digits);
                    const cell = {shift: prefix.shift, places};
                    return (
                        <tr key={q.label}>
                            <th scope="row">{q.label}</th>
                            {phases.map((p) => <Cell key={p} value={q.phases[p] ?? null} {...cell} />)}
                            <Cell value={q.total} {...cell} />
                            <td class="unit">{prefix.unit}</td>
                        </tr>
                    );
                })}
            </tbody>
        </table>
    );
}
