// All registers of the meter, by group, with the age of each.
import type {Register} from '../api.ts';
import {useState} from 'preact/hooks';
import {age, count, registerFigure} from '../format.ts';
import {qualityAt} from '../meter_state.ts';
import {seconds, useNow} from '../now.ts';
import {channelOf, compareObis, groupOf, GROUPS, shortObis, withPhase} from '../obis.ts';
import {Icon} from './icon.tsx';

// The meter's answer in words: "object-undefined" reads better with spaces.
const refusal = (result: string): string => result.replace(/[-_]/g, ' ');

function Row({register: r, now, freshFor}: {register: Register; now: number; freshFor: number}) {
    const figure = registerFigure(r.raw, r.scaler, r.multiplier, r.unit, r.value);
    const t = seconds(r.at);
    const quality = qualityAt(r.quality, r.at, freshFor, now);
    const failed = r.result !== 'success' && r.result !== '';
    return (
        <tr class={quality === 'fresh' ? '' : 'old'}>
            <th scope="row"><span class="reg-head"><span>{withPhase(r.obis, r.name)}</span> <code class="obis">{shortObis(r.obis)}</code></span></th>
            <td class="number value">{figure.text}</td>
            <td class="unit">{figure.unit}</td>
            <td class="reg-age">
                {quality === 'stale' && <span class="word stale"><Icon name="stale" />stale</span>}
                {failed ? <span class="word failing"><Icon name="failing" />{refusal(r.result)}</span> : age(t === null ? null : now - t)}
            </td>
        </tr>
    );
}

// Cards in the order of the groups, channel by channel.
function sections(registers: readonly Register[]): [name: string, list: Register[]][] {
    const channels = [...new Set(registers.map((r) => channelOf(r.obis)))].sort((a, b) => a - b);
    const found = channels.flatMap((b) => GROUPS.map((group): [string, Register[]] => {
        const list = registers.filter((r) => channelOf(r.obis) === b && groupOf(r.obis) === group);
        return [b ? `${group}, channel ${b}` : group, list.sort((x, y) => compareObis(x.obis, y.obis))];
    }));
    return found.filter(([, list]) => list.length > 0);
}

export function Registers({registers, freshFor}: {registers: readonly Register[]; freshFor: number}) {
    const now = useNow();
    const [search, setSearch] = useState('');
    if (!registers.length) return <p class="none">No registers have been read yet. They appear here after the first reading.</p>;
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = registers.filter((r) => words.every((w) => `${withPhase(r.obis, r.name)} ${r.obis} ${r.unit}`.toLowerCase().includes(w)));
    return (
        <>
            <label class="search register-search">
                <Icon name="search" />
                <span class="hidden">Find a register by name, code or unit</span>
                <input type="search" placeholder="Name, code, unit" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
            </label>
            <p class="hidden" role="status">{words.length ? `${count(wanted.length, 'register')} found` : ''}</p>
            {!wanted.length && <p class="none">No register fits the search.</p>}
            <div class="register-groups">
                {sections(wanted).map(([name, list]) => <Group key={name} name={name} list={list} whole={words.length > 0} now={now} freshFor={freshFor} />)}
            </div>
        </>
    );
}

// A long group begins with the totals; the rest comes when asked for.
const FIRST = 10;

function Group({name, list, whole, now, freshFor}: {name: string; list: readonly Register[]; whole: boolean; now: number; freshFor: number}) {
    const [all, setAll] = useState(false);
    const long = !whole && list.length > FIRST + 5;
    const rows = long && !all ? list.slice(0, FIRST) : list;
    return (
        <section class="card flush">
            <h3 class="card-title">{name}<span class="faint"> {list.length}</span></h3>
            <table class="registers">
                <caption class="hidden">{name}</caption>
                <thead class="hidden"><tr><th scope="col">Register</th><th scope="col">Value</th><th scope="col">Unit</th><th scope="col">Age</th></tr></thead>
                <tbody>{rows.map((r) => <Row key={`${r.obis} ${r.attribute}`} register={r} now={now} freshFor={freshFor} />)}</tbody>
            </table>
            {long && (
                <button class="button plain more" type="button" aria-expanded={all} onClick={() => setAll(!all)}>
                    {all ? 'Show fewer' : `Show all ${list.length}`}<span class="hidden"> of {name}</span>
                </button>
            )}
        </section>
    );
}
