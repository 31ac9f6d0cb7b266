// The list of meters: which are well, which are not, and the newest figures of each.
import {useEffect, useMemo, useState} from 'preact/hooks';
import {api, type Headline, type Meter} from '../api.ts';
import {count, headlineEnergy, roundedFigure} from '../format.ts';
import {useLive} from '../live.ts';
import {activityText, deviceText, isOld, stateOf, STATES, STATE_WORDS, type MeterState} from '../meter_state.ts';
import {setServerNow, useNow} from '../now.ts';
import {useResource} from '../resource.ts';
import {meterLink} from '../routes.ts';
import {Age, MeterChip} from '../parts/chip.tsx';
import {CsvImport} from '../parts/csv_import.tsx';
import {Icon} from '../parts/icon.tsx';
import {MeterForm} from '../parts/meter_form.tsx';
import {Problem, Skeleton} from '../parts/problem.tsx';

type Key = 'name' | 'device' | 'energy' | 'power' | 'state';
interface Order {
    key: Key;
    down: boolean;
}

const headline = (m: Meter, obis: string): Headline | undefined => m.headline.find((h) => h.obis.startsWith(obis));
const energyOf = (m: Meter): Headline | undefined => headline(m, '1-0:1.8.0');

// Import minus export, whichever of the two and of the net the head-end gives.
function powerOf(m: Meter): {value: number; unit: string} | undefined {
    const net = headline(m, '1-0:16.7.0');
    const plus = headline(m, '1-0:1.7.0');
    const minus = headline(m, '1-0:2.7.0');
    if (net) return net;
    return plus || minus ? {value: (plus?.value ?? 0) - (minus?.value ?? 0), unit: (plus ?? minus)!.unit} : undefined;
}

function compare(a: Meter, b: Meter, key: Key): number {
    switch (key) {
    case 'name': return a.name.localeCompare(b.name, 'en', {numeric: true});
    case 'device': return deviceText(a).localeCompare(deviceText(b), 'en', {numeric: true});
    case 'energy': return (energyOf(a)?.value ?? -1) - (energyOf(b)?.value ?? -1);
    case 'power': return (powerOf(a)?.value ?? -1) - (powerOf(b)?.value ?? -1);
    case 'state': return STATES.indexOf(stateOf(a)) - STATES.indexOf(stateOf(b)) || (a.age_s ?? 1e12) - (b.age_s ?? 1e12);
    }
}

function matches(m: Meter, words: string[]): boolean {
    const text = `${m.name} ${m.place} ${m.device_name} ${m.serial} ${m.url}`.toLowerCase();
    return words.every((w) => text.includes(w));
}

async function load(): Promise<Meter[]> {
    const {now, meters} = await api.meters();
    setServerNow(now);
    return meters;
}

export function MetersPage() {
    const meters = useResource('meters', load);
    const [search, setSearch] = useState('');
    const [state, setState] = useState<MeterState | null>(null);
    const [order, setOrder] = useState<Order>({key: 'name', down: false});
    const [dialog, setDialog] = useState<'add' | 'import' | null>(null);
    useLive((e) => e.kind !== 'profile', meters.reload, 1000);
    const tick = useNow(10); // what is fresh becomes stale by itself
    useEffect(() => {
        document.title = 'Meters \u2013 Ferraris';
    }, []);

    const all = meters.data;
    const shown = useMemo(() => {
        const words = search.toLowerCase().split(/\s+/).filter(Boolean);
        const list = (all ?? []).filter((m) => matches(m, words) && (!state || stateOf(m) === state));
        return list.sort((a, b) => (compare(a, b, order.key) || compare(a, b, 'name')) * (order.down ? -1 : 1));
    }, [all, search, state, order, tick]);

    return (
        <>
            <div class="title-row">
                <h1>Meters</h1>
                <div class="actions">
                    <button type="button" class="button" onClick={() => setDialog('import')}>Import CSV</button>
                    <button type="button" class="button primary" onClick={() => setDialog('add')}><Icon name="plus" />Add meter</button>
                </div>
            </div>
            {meters.error && <Problem text={meters.error} again={meters.reload} />}
            {!all && !meters.error && <div class="card" aria-busy="true"><Skeleton rows={9} /></div>}
            {all?.length === 0 && <NoMeters add={() => setDialog('add')} importCsv={() => setDialog('import')} />}
            {all && all.length > 0 && (
                <div class="card flush">
                    <div class="tools">
                        <label class="search">
                            <Icon name="search" />
                            <span class="hidden">Search by name, place, device or address</span>
                            <input type="search" placeholder="Name, place, device, address" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
                        </label>
                        <StateFilter meters={all} state={state} set={setState} />
                    </div>
                    <MeterTable meters={shown} order={order} setOrder={setOrder} />
                    {shown.length === 0 && <p class="none">No meter fits the search. <button type="button" class="link" onClick={() => { setSearch(''); setState(null); }}>Show all</button></p>}
                    <p class="hidden" role="status">{count(shown.length, 'meter')} shown</p>
                </div>
            )}
            {dialog === 'add' && <MeterForm close={() => setDialog(null)} saved={meters.reload} />}
            {dialog === 'import' && <CsvImport close={() => setDialog(null)} imported={meters.reload} />}
        </>
    );
}

function NoMeters({add, importCsv}: {add: () => void; importCsv: () => void}) {
    return (
        <div class="empty card">
            <h2>There are no meters yet</h2>
            <p>Add a meter by its address, or import a list. The head-end then reads it by itself.</p>
            <div class="actions">
                <button type="button" class="button primary" onClick={add}>Add meter</button>
                <button type="button" class="button" onClick={importCsv}>Import CSV</button>
            </div>
        </div>
    );
}

function StateFilter({meters, state, set}: {meters: Meter[]; state: MeterState | null; set: (s: MeterState | null) => void}) {
    const of = (s: MeterState): number => meters.filter((m) => stateOf(m) === s).length;
    const present = STATES.filter((s) => of(s) > 0 || s === state);
    return (
        <div class="filters" role="group" aria-label="Show only meters of a state">
            <button type="button" class="filter" aria-pressed={state === null} onClick={() => set(null)}>All <b>{meters.length}</b></button>
            {present.map((s) => (
                <button key={s} type="button" class={`filter ${s}`} aria-pressed={state === s} onClick={() => set(state === s ? null : s)}>
                    <Icon name={s} />{STATE_WORDS[s]} <b>{of(s)}</b>
                </button>
            ))}
        </div>
    );
}

const HEADS: readonly (readonly [Key, string, string])[] = [
    ['name', 'Meter', ''], ['device', 'Device', 'wide-only'], ['energy', 'Active energy', 'number mid-only'], ['power', 'Active power', 'number'],
    ['state', 'Last reading', ''],
];

function MeterTable({meters, order, setOrder}: {meters: Meter[]; order: Order; setOrder: (o: Order) => void}) {
    return (
        <table class="meters">
            <caption class="hidden">Meters with their newest figures</caption>
            <thead>
                <tr>
                    {HEADS.map(([key, text, cls]) => (
                        <th key={key} scope="col" class={cls} aria-sort={order.key === key ? (order.down ? 'descending' : 'ascending') : undefined}>
                            <button type="button" class="sort" onClick={() => setOrder({key, down: order.key === key && !order.down})}>
                                {text}{order.key === key ? <Icon name={order.down ? 'down_sort' : 'up_sort'} /> : <span class="icon" />}
                            </button>
                        </th>
                    ))}
                </tr>
            </thead>
            <tbody>{meters.map((m) => <MeterRow key={m.id} meter={m} />)}</tbody>
        </table>
    );
}

function MeterRow({meter}: {meter: Meter}) {
    const energy = energyOf(meter);
    const power = powerOf(meter);
    const kwh = headlineEnergy(energy?.value, energy?.unit ?? '');
    const kw = roundedFigure(power?.value, power?.unit ?? '');
    const activity = activityText(meter);
    return (
        <tr class={`${stateOf(meter)} ${isOld(meter) ? 'old' : ''}`}>
            <th scope="row">
                <a class="meter-name" href={meterLink(meter.id)}>{meter.name}</a>
                <span class="sub">{meter.place || '\u00a0'}</span>
            </th>
            <td class="wide-only">{meter.device_name || <span class="faint">not identified yet</span>}<span class="sub">{meter.serial && meter.serial !== meter.device_name ? `Serial ${meter.serial}` : meter.url}</span></td>
            <td class="number mid-only"><b>{kwh.text}</b> <span class="unit">{kwh.unit}</span></td>
            <td class="number">
                <b>{kw.text}</b> <span class="unit">{kw.unit}</span>
                <span class="sub small-only">{kwh.text} {kwh.unit}</span>
            </td>
            <td class="state-cell">
                <MeterChip meter={meter} />
                <span class="sub">{activity ?? <Age at={meter.last_reading} />}</span>
            </td>
        </tr>
    );
}
