// What the meter measures now, by phase: the table that an engineer looks at first.
import type {Register} from '../api.ts';
import {prefixFor, rounded, NONE} from '../format.ts';
import {byObis, quantities, type Quantity} from '../instant.ts';

function Cell({q, value, shift}: {q: Quantity; value: number | null; shift: number}) {
    if (value === null) return <td class="number faint">{NONE}</td>;
    const v = value / 10 ** shift;
    return <td class="number">{q.unit === '' ? v.toFixed(3).replace('-', '\u2212') : rounded(v, q.digits)}</td>;
}

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
                    const greatest = Math.max(...[...q.phases, q.total].map((v) => Math.abs(v ?? 0)));
                    const prefix = prefixFor(greatest, q.unit);
                    return (
                        <tr key={q.label}>
                            <th scope="row">{q.label}</th>
                            {phases.map((p) => <Cell key={p} q={q} value={q.phases[p] ?? null} shift={prefix.shift} />)}
                            <Cell q={q} value={q.total} shift={prefix.shift} />
                            <td class="unit">{prefix.unit}</td>
                        </tr>
                    );
                })}
            </tbody>
        </table>
    );
}
