// The energy of the range twice: as the sum of its intervals and as the rise of the register. The
// two must be equal to the last unit; where they are not, the page says by how much.
import type {Rows} from '../api.ts';
import {isZero, subtract, toNumber, type Decimal} from '../decimal.ts';
import type {Channel} from '../curve_data.ts';
import {count, exact, NONE, type Prefix} from '../format.ts';
import {totalOf, type Total} from '../series.ts';
import {stamp, type Zone} from '../zone.ts';
import {Icon} from './icon.tsx';

interface Props {
    rows: Rows;
    channels: Channel[];
    from: number;
    to: number;
    zone: Zone;
    missing: number;
}

function Verdict({total, missing, prefix}: {total: Total; missing: number; prefix: Prefix}) {
    if (total.equal === null) return <span class="faint">no register to compare with</span>;
    if (total.equal) return <span class="word fresh"><Icon name="equal" />equal</span>;
    const by = subtract(total.rise!, total.sumSince!);
    return <span class="word stale"><Icon name="failing" />differs by {exact(by, prefix)} {prefix.unit}{missing ? `: ${count(missing, 'row')} missing` : ''}</span>;
}

export function Sums({rows, channels, from, to, zone, missing}: Props) {
    const list = channels.filter((c) => c.column.kind === 'interval');
    if (!list.length) return null;
    return (
        <div class="scroll sums-scroll" tabIndex={0} role="region" aria-label="Sum of the range">
            <table class="sums">
                <caption class="hidden">Sum of the shown range against the register</caption>
                <thead><tr><th scope="col">Energy of the range</th><th scope="col" class="number">Sum of intervals</th><th scope="col" class="number">Rise of register</th><th scope="col">Comparison</th></tr></thead>
                <tbody>
                    {list.map((c) => {
                        const total = totalOf(rows, c.index, {from, to});
                        const prefix = {shift: 3, unit: `k${c.column.unit}`};
                        const figure = (v: Decimal | null): string => (v ? `${exact(v, prefix)} ${prefix.unit}` : NONE);
                        const partly = total.since > from && total.rise !== null;
                        return (
                            <tr key={c.key}>
                                <th scope="row"><span class={`swatch c${c.color}`} aria-hidden="true" />{c.label}</th>
                                <td class="number">{figure(total.n ? total.sum : null)}<span class="sub">{count(total.n, 'row')}</span></td>
                                <td class="number">{figure(total.rise)}{partly && <span class="sub">since {stamp(zone, total.since)}</span>}</td>
                                <td>
                                    <Verdict total={total} missing={missing} prefix={prefix} />
                                    {partly && total.sumSince && total.sum && !isZero(subtract(total.sum, total.sumSince)) && toNumber(total.sumSince) > 0
                                        && <span class="sub">intervals since then {figure(total.sumSince)}</span>}
                                </td>
                            </tr>
                        );
                    })}
                </tbody>
            </table>
        </div>
    );
}
