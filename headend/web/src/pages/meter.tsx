// One meter: who it is and how it is, its load curve, its values now, its registers.
import {useEffect, useState} from 'preact/hooks';
import {api, sentence, type Meter} from '../api.ts';
import {useLive} from '../live.ts';
import {activityText, freshFor, isOld} from '../meter_state.ts';
import {seconds, setServerNow, useNow} from '../now.ts';
import {span} from '../format.ts';
import {sentenceOf, useResource} from '../resource.ts';
import {METERS, type Route} from '../routes.ts';
import {Age, MeterChip} from '../parts/chip.tsx';
import {CurvePanel} from '../parts/curve_panel.tsx';
import {Icon} from '../parts/icon.tsx';
import {LiveValues} from '../parts/live_values.tsx';
import {MeterForm} from '../parts/meter_form.tsx';
import {notify} from '../parts/notices.tsx';
import {PhasorDiagram} from '../parts/phasor_diagram.tsx';
import {Problem, Skeleton} from '../parts/problem.tsx';
import {Registers} from '../parts/registers.tsx';

export function MeterPage({route}: {route: Extract<Route, {page: 'meter'}>}) {
    const {id} = route;
    const meter = useResource(`meter ${id}`, () => api.meter(id));
    const registers = useResource(`registers ${id}`, async () => {
        const {now, registers: list} = await api.registers(id);
        setServerNow(now);
        return list;
    });
    useLive((e) => e.kind === 'again' || (e.kind === 'meter' && e.meter === id), meter.reload, 500);
    useLive((e) => e.kind === 'again' || (e.kind === 'registers' && e.meter === id), registers.reload, 1000);
    const m = meter.data;
    useNow(10); // what is fresh becomes stale by itself
    useEffect(() => {
        document.title = `${m?.name ?? 'Meter'} \u2013 Ferraris`;
    }, [m?.name]);

    return (
        <>
            <nav class="crumbs" aria-label="You are here"><a href={METERS}>Meters</a><span aria-hidden="true"> / </span><span aria-current="page">{m?.name ?? '\u2026'}</span></nav>
            {meter.error && <Problem text={meter.error} again={meter.reload} />}
            {!m && !meter.error && <div class="card"><Skeleton height={112} /></div>}
            {m && <Identity meter={m} changed={(n) => meter.set(n)} />}
            {m && <CurvePanel id={id} route={route} />}
            {m && (
                <div class="now-grid">
                    <section class={isOld(m) ? 'card old' : 'card'} aria-labelledby="now-title">
                        <div class="card-head">
                            <h2 id="now-title">{isOld(m) ? 'Last values' : 'Live values'}</h2>
                            <span class={isOld(m) && m.last_reading ? 'word stale' : 'faint'}>{isOld(m) && m.last_reading && <Icon name="stale" />}<Age at={m.last_reading} /></span>
                        </div>
                        {registers.data ? <LiveValues registers={registers.data} /> : registers.error ? <p class="none">Not available.</p> : <Skeleton rows={8} />}
                    </section>
                    <section class="card" aria-labelledby="phasor-title">
                        <div class="card-head"><h2 id="phasor-title">Phasors</h2></div>
                        {registers.data ? <PhasorDiagram registers={registers.data} /> : registers.error ? <p class="none">Not available.</p> : <Skeleton height={260} />}
                    </section>
                </div>
            )}
            {m && (
                <section aria-labelledby="registers-title">
                    <h2 id="registers-title" class="section-title">Registers</h2>
                    {registers.error && <Problem text={registers.error} again={registers.reload} />}
                    {registers.data ? <Registers registers={registers.data} freshFor={freshFor(m)} /> : !registers.error && <div class="card"><Skeleton rows={10} /></div>}
                </section>
            )}
        </>
    );
}

function Next({meter}: {meter: Meter}) {
    const now = useNow();
    const activity = activityText(meter);
    if (activity) return <>{activity}</>;
    const t = seconds(meter.next);
    if (!meter.enabled) return <>not read</>;
    return <>{t === null ? '\u2013' : t <= now ? 'now' : `in ${span(t - now)}`}</>;
}

function Fact({label, children}: {label: string; children: preact.ComponentChildren}) {
    return <div class="fact"><dt>{label}</dt><dd>{children}</dd></div>;
}

const ratio = (r: [number, number]): string => `${r[0]} / ${r[1]}`;

function Identity({meter: m, changed}: {meter: Meter; changed: (m: Meter) => void}) {
    const [editing, edit] = useState(false);
    const read = (): void => {
        api.readNow(m.id).then(() => notify('A reading is asked for.'), (e: unknown) => notify(sentenceOf(e), true));
    };
    return (
        <section class="card identity" aria-labelledby="meter-name">
            <div class="title-row">
                <div class="name-block">
                    <h1 id="meter-name">{m.name}</h1>
                    <MeterChip meter={m} />
                    {m.place && <p class="sub">{m.place}</p>}
                </div>
                <div class="actions">
                    <button type="button" class="button" onClick={read} disabled={!m.enabled}><Icon name="read" />Read now</button>
                    <button type="button" class="button" onClick={() => edit(true)}>Edit</button>
                </div>
            </div>
            {m.error && m.enabled && (
                <div class="problem slim">
                    <Icon name="failing" />
                    <p>{sentence(m.error)}{m.n_failed > 1 ? ` ${m.n_failed} attempts failed in a row.` : ''}</p>
                </div>
            )}
            {m.rows_expected > 0 && m.activity === 'reading' && <progress max={m.rows_expected} value={m.rows_done} aria-label="Rows of the load profile read" />}
            <dl class="facts">
                <Fact label="Device">{m.device_name || '\u2013'}</Fact>
                <Fact label="Serial">{m.serial || '\u2013'}</Fact>
                <Fact label="Address"><span class="code">{m.url.replace(/^tcp:\/\//, '')}</span></Fact>
                <Fact label="Last reading"><Age at={m.last_reading} /></Fact>
                <Fact label="Next reading"><Next meter={m} /></Fact>
                <Fact label="Ratios CT, VT">{ratio(m.ct)}, {ratio(m.vt)}</Fact>
            </dl>
            {editing && <MeterForm meter={m} close={() => edit(false)} saved={changed} />}
        </section>
    );
}
