// The energy of the range twice: as the sum of its intervals and as the rise of the register. The
// two must be equal to the last unit; where they are not, the page says by how much.
import type {Rows} from '../api.ts';
import {isZero, subtract, type Decimal} from '../decimal.ts';
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
        <ul class="sums" aria-label="Energy of the shown range">
            {list.map((c) => {
                const total = totalOf(rows, c.index, {from, to});
                const prefix = {shift: 3, unit: `k${c.column.unit}`};
                const figure = (v: Decimal | null): string => (v ? `${exact(v, prefix)} ${prefix.unit}` : NONE);
                const partly = total.since > from && total.rise !== null;
                const different = partly && total.sum && total.sumSince && !isZero(subtract(total.sum, total.sumSince));
                return (
                    <li key={c.key}>
                        <h3><span class={`swatch c${c.color}`} aria-hidden="true" />{c.label}</h3>
                        <dl>
                            <div><dt>Sum of {count(total.n, 'interval')}</dt><dd>{figure(total.n ? total.sum : null)}</dd></div>
                            <div><dt>Rise of the register{partly ? ` since ${stamp(zone, total.since)}` : ''}</dt><dd>{figure(total.rise)}</dd></div>
                            <div>
                                <dt>Comparison{different ? `, intervals since then ${figure(total.sumSince)}` : ''}</dt>
                                <dd><Verdict total={total} missing={missing} prefix={prefix} /></dd>
                            </div>
                        </dl>
                    </li>
                );
            })}
        </ul>
    );
}
