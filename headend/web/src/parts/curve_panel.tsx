// The load profile of a meter: choices on top, the curve or its table, sums and daily totals.
import {useEffect, useMemo, useState} from 'preact/hooks';
import {api, csvLink, type Profile, type Rows} from '../api.ts';
import {channels, curveData, drawable, MAX_UNITS, units, usual, type Channel} from '../curve_data.ts';
import {count, sign} from '../format.ts';
import {useLive} from '../live.ts';
import {statusWords} from '../obis.ts';
import {customRange, inZone, rangeAt, type Range} from '../ranges.ts';
import {useResource} from '../resource.ts';
import {meterLink, replaceRoute, type Route} from '../routes.ts';
import {dayTotals, isEnergyOfIntervals, type View} from '../series.ts';
import {recall, remember} from '../settings.ts';
import {browserZone, isoDay, meterZone, offset, offsetName, parseDay, UTC, type Zone} from '../zone.ts';
import {Curve, type Span} from './curve.tsx';
import {CurveTable} from './curve_table.tsx';
import {DayBars} from './day_bars.tsx';
import {Icon} from './icon.tsx';
import {Problem, Skeleton} from './problem.tsx';
import {RangeBar} from './range_bar.tsx';
import {Segments} from './segments.tsx';
import {Sums} from './sums.tsx';

type MeterRoute = Extract<Route, {page: 'meter'}>;
type ZoneChoice = 'browser' | 'utc' | 'meter';

export function CurvePanel({id, route}: {id: number; route: MeterRoute}) {
    const profiles = useResource(`profiles ${id}`, async () => (await api.profiles(id)).profiles);
    const [obis, setObis] = useState<string | null>(null);
    useLive((e) => e.kind === 'again' || (e.kind === 'profile' && e.meter === id), profiles.reload, 2000);
    const list = [...(profiles.data ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)); // 99.2.0 is the second
    const profile = list.find((p) => p.obis === obis) ?? list[0];
    return (
        <section class="card" aria-labelledby="curve-title">
            <div class="card-head">
                <h2 id="curve-title">{profile?.name ?? 'Load profile'}</h2>
                {list.length > 1 && (
                    <label class="inline">Profile <select value={profile?.obis} onChange={(e) => setObis(e.currentTarget.value)}>
                        {list.map((p) => <option key={p.obis} value={p.obis}>{p.name}</option>)}
                    </select></label>
                )}
            </div>
            {profiles.error && !profile && <Problem text={profiles.error} again={profiles.reload} />}
            {!profiles.data && !profiles.error && <Skeleton height={480} />}
            {profiles.data && !profile && <p class="none">No load profile has been read from this meter yet.</p>}
            {profile && <ProfileCurve key={profile.obis} id={id} profile={profile} route={route} />}
        </section>
    );
}

function zoneOf(choice: ZoneChoice, minutes: number): Zone {
    return choice === 'utc' ? UTC : choice === 'meter' ? meterZone(minutes) : browserZone();
}

function startRange(route: MeterRoute, zone: Zone, last: number): Range {
    if (route.range === 'custom') {
        const range = customRange(zone, route.day ?? '', route.to ?? '');
        if (range) return range;
    }
    const day = route.day === null ? null : parseDay(zone, route.day);
    return rangeAt(zone, route.range && route.range !== 'custom' ? route.range : 'week', day ?? last);
}

// The meter's clock against UTC in the newest of these rows.
const minutesOf = (rows: Rows | null): number | null =>
    !rows ? null : typeof rows.zone_min === 'number' ? rows.zone_min : (rows.zone_min.at(-1) ?? null);

function ProfileCurve({id, profile, route}: {id: number; profile: Profile; route: MeterRoute}) {
    const [choice, setChoice] = useState<ZoneChoice>(() => recall('zone', ['browser', 'utc', 'meter'], 'browser'));
    const [minutes, setMinutes] = useState(0);
    const zone = useMemo(() => zoneOf(choice, minutes), [choice, minutes]);
    // The newest row's interval ends at its stamp: at midnight it still belongs to the day before.
    const newest = (profile.last ?? Math.floor(Date.now() / 1000)) - 1;
    const [range, setRange] = useState<Range>(() => startRange(route, zone, newest));
    const [zoom, setZoom] = useState<Span | null>(null);
    const [view, setView] = useState<View>(() => ({energy: recall('energy', ['power', 'energy'], 'power'), register: recall('register', ['difference', 'reading'], 'reading')}));
    const [chosen, setChosen] = useState<string[] | null>(null);
    const [asTable, setAsTable] = useState(false);

    const rows = useResource(`values ${id} ${profile.obis} ${range.from} ${range.to}`,
        (signal) => api.values(id, profile.obis, range.from, range.to + 1, signal));
    useLive((e) => e.kind === 'again' || (e.kind === 'profile' && e.meter === id && e.obis === profile.obis && e.from <= range.to && e.to > range.from),
        rows.reload, 2000);
    // What was drawn last stays while the next range is on its way: nothing jumps.
    const [kept, keep] = useState<{rows: Rows; range: Range} | null>(null);
    useEffect(() => {
        if (!rows.data) return;
        keep({rows: rows.data, range});
        const m = minutesOf(rows.data);
        if (m !== null) setMinutes(m);
    }, [rows.data]);

    const show = (r: Range): void => {
        setRange(r);
        setZoom(null);
        replaceRoute(meterLink(id, r.kind, isoDay(zone, r.kind === 'custom' ? r.from : r.to - 1), r.kind === 'custom' ? isoDay(zone, r.to - 1) : undefined));
    };
    const changeZone = (next: ZoneChoice): void => {
        remember('zone', next);
        setChoice(next);
        setZoom(null);
        setRange(inZone(range, zone, zoneOf(next, minutes)));
    };
    const changeView = (part: Partial<View>): void => {
        for (const [key, value] of Object.entries(part)) remember(key, value);
        setView({...view, ...part});
    };

    const all = channels(kept?.rows.columns ?? profile.columns, view);
    const wanted = chosen ?? usual(all, kept?.rows);
    const shown = drawable(all, wanted);
    const shownKey = shown.map((c) => c.key).join(' ');
    const data = useMemo(() => kept && curveData(kept.rows, shown, view, kept.range, zone, profile.first, profile.last),
        [kept, shownKey, view, zone, profile.first, profile.last]);
    const span = zoom ?? range;
    const missing = data?.gaps.reduce((sum, g) => sum + g.n, 0) ?? 0;
    const empty = data !== null && !data.t.some((t) => t > range.from && t <= range.to);

    return (
        <>
            <RangeBar zone={zone} range={range} first={profile.first} last={profile.last} set={show} />
            <div class="curve-tools">
                <Channels all={all} chosen={wanted} set={setChosen} />
                <div class="curve-views">
                    {shown.some((c) => isEnergyOfIntervals(c.column, view)) && (
                        <Segments label="Energy of an interval" options={[['power', 'Average power'], ['energy', 'Energy']]} value={view.energy} set={(energy) => changeView({energy})} />
                    )}
                    {shown.some((c) => c.column.kind === 'register') && (
                        <Segments label="Registers" options={[['reading', 'Readings'], ['difference', 'Differences']]} value={view.register} set={(register) => changeView({register})} />
                    )}
                </div>
            </div>
            <div class="curve-box" aria-busy={rows.loading}>
                {rows.error && <Problem text={rows.error} again={rows.reload} />}
                {!data && !rows.error && <Skeleton height={400} />}
                {data && (asTable
                    ? <CurveTable key={`${span.from} ${span.to}`} data={data} rows={kept!.rows} from={span.from} to={span.to} />
                    : <Curve data={data} words={(i) => statusWords(kept!.rows.status[i] ?? 0)} zoom={zoom} setZoom={setZoom} />)}
                {empty && !rows.loading && !asTable && <p class="curve-empty">No rows in this range.</p>}
            </div>
            <div class="curve-foot">
                <label class="inline">Times in <select value={choice} onChange={(e) => changeZone(e.currentTarget.value as ZoneChoice)}>
                    <option value="browser">{browserZone().kind === 'iana' ? (browserZone() as {name: string}).name : ''} ({offsetName(offset(browserZone(), range.to - 1))})</option>
                    <option value="utc">UTC</option>
                    <option value="meter">the meter's own time ({offsetName(minutes * 60)})</option>
                </select></label>
                {missing > 0 && <span class="word stale"><Icon name="failing" />{count(missing, 'row')} missing</span>}
                {data && data.flagged.length > 0 && <span class="word stale"><Icon name="failing" />{count(data.flagged.length, 'row')} with a status</span>}
                <span class="spring" />
                {zoom && <button type="button" class="button" onClick={() => setZoom(null)}>Reset zoom</button>}
                <button type="button" class="button" onClick={() => setAsTable(!asTable)}><Icon name={asTable ? 'curve' : 'table'} />{asTable ? 'View as curve' : 'View as table'}</button>
                <a class="button" href={csvLink(id, profile.obis, Math.floor(span.from) + 1, Math.floor(span.to) + 1)} download><Icon name="download" />CSV</a>
            </div>
            {kept && <Sums rows={kept.rows} channels={shown} from={zoom ? zoom.from : kept.range.from} to={zoom ? zoom.to : kept.range.to} zone={zone} missing={missing} />}
            {kept && kept.range.to - kept.range.from > 2 * 86400 && (
                <Days rows={kept.rows} range={kept.range} shown={shown} zone={zone} profile={profile} open={(t) => show(rangeAt(zone, 'day', t))} />
            )}
        </>
    );
}

function Channels({all, chosen, set}: {all: Channel[]; chosen: string[]; set: (keys: string[]) => void}) {
    const used = units(all, chosen);
    const more = used.length >= MAX_UNITS && all.some((c) => !used.includes(c.unit));
    return (
        <fieldset class="channels">
            <legend class="hidden">Channels, with at most {MAX_UNITS} units</legend>
            {all.map((c) => {
                const on = chosen.includes(c.key);
                const full = !on && used.length >= MAX_UNITS && !used.includes(c.unit);
                return (
                    <label key={c.key} class={`channel ${on ? 'on' : ''} ${full ? 'full' : ''}`} title={full ? `${c.column.name}: two units are on the axes already` : `${c.column.name} (${c.column.obis})`}>
                        <input type="checkbox" checked={on} disabled={full} onChange={() => set(on ? chosen.filter((k) => k !== c.key) : [...chosen, c.key])} />
                        <span class={`swatch c${c.color}`} aria-hidden="true" />
                        <span>{c.label}</span> <span class="unit">{sign(c.unit)}</span>
                    </label>
                );
            })}
            {more && <span class="note">The curve has room for two units.</span>}
        </fieldset>
    );
}

function Days({rows, range, shown, zone, profile, open}: {rows: Rows; range: Range; shown: Channel[]; zone: Zone; profile: Profile; open: (t: number) => void}) {
    const intervals = shown.filter((c) => c.column.kind === 'interval');
    const [key, setKey] = useState<string | null>(null);
    const channel = intervals.find((c) => c.key === key) ?? intervals[0];
    const totals = useMemo(() => (channel ? dayTotals(rows, channel.index, zone, range, profile.first, profile.last) : []), [rows, channel?.key, zone, range, profile.first, profile.last]);
    if (!channel || !rows.period_s) return null;
    return (
        <section class="days" aria-labelledby="days-title">
            <div class="card-head">
                <h3 id="days-title">Daily totals</h3>
                {intervals.length > 1 && <Segments label="Channel of the daily totals" options={intervals.map((c) => [c.key, c.label] as const)} value={channel.key} set={setKey} />}
            </div>
            <DayBars totals={totals} column={channel.column} color={channel.color} zone={zone} open={open} />
        </section>
    );
}
