// Adding a meter, and changing one. Keys and passwords go in and never come out.
import {useState} from 'preact/hooks';
import {api, ApiError, type Meter, type MeterChange} from '../api.ts';
import {sentenceOf} from '../resource.ts';
import {Dialog} from './dialog.tsx';
import {Field, FormError} from './field.tsx';
import {notify} from './notices.tsx';

// What the fields hold: text, as typed.
interface Draft {
    name: string; place: string; url: string; client: string; server: string;
    auth: Meter['auth']; security: Meter['security'];
    timeout_s: string; register_period_s: string;
    ct1: string; ct2: string; vt1: string; vt2: string;
    enabled: boolean; guek: string; gak: string; password: string;
}

function draftOf(m: Meter | null): Draft {
    return {
        name: m?.name ?? '', place: m?.place ?? '', url: m?.url ?? 'tcp://', client: String(m?.client ?? 3), server: String(m?.server ?? 1),
        auth: m?.auth ?? 'hls5', security: m?.security ?? 'authenc',
        timeout_s: String(m?.timeout_s ?? 10), register_period_s: String(m?.register_period_s ?? 60),
        ct1: String(m?.ct[0] ?? 1), ct2: String(m?.ct[1] ?? 1), vt1: String(m?.vt[0] ?? 1), vt2: String(m?.vt[1] ?? 1),
        enabled: m?.enabled ?? true, guek: '', gak: '', password: '',
    };
}

function changeOf(d: Draft): MeterChange {
    const keys = {...(d.guek ? {guek: d.guek.trim()} : {}), ...(d.gak ? {gak: d.gak.trim()} : {})};
    return {
        name: d.name.trim(), place: d.place.trim(), url: d.url.trim(), client: Number(d.client), server: Number(d.server),
        auth: d.auth, security: d.security, timeout_s: Number(d.timeout_s), register_period_s: Number(d.register_period_s),
        ct: [Number(d.ct1), Number(d.ct2)], vt: [Number(d.vt1), Number(d.vt2)], enabled: d.enabled,
        ...(Object.keys(keys).length ? {keys} : {}), ...(d.password ? {password: d.password} : {}),
    };
}

// Only what differs from the meter, so that two people's changes do not undo each other.
function differing(change: MeterChange, m: Meter): MeterChange {
    const kept = Object.entries(change).filter(([key, value]) => JSON.stringify(m[key as keyof Meter]) !== JSON.stringify(value));
    return Object.fromEntries(kept) as MeterChange;
}

export function MeterForm({meter, close, saved}: {meter?: Meter; close: () => void; saved: (m: Meter) => void}) {
    const [d, setDraft] = useState(() => draftOf(meter ?? null));
    const [fault, setFault] = useState<{text: string; field: string | null} | null>(null);
    const [busy, setBusy] = useState(false);
    const set = (part: Partial<Draft>): void => setDraft((old) => ({...old, ...part}));
    const at = (...names: string[]): string | undefined => (fault?.field && names.includes(fault.field) ? fault.text : undefined);

    const submit = (e: Event): void => {
        e.preventDefault();
        setBusy(true);
        setFault(null);
        const change = changeOf(d);
        (meter ? api.changeMeter(meter.id, differing(change, meter)) : api.addMeter(change)).then(
            (m) => {
                notify(meter ? `${m.name} is changed.` : `${m.name} is added; its first reading begins.`);
                saved(m);
                close();
            },
            (why: unknown) => {
                setBusy(false);
                setFault({text: sentenceOf(why), field: why instanceof ApiError ? why.field : null});
            });
    };

    const secret = (has: boolean | undefined): string => (has ? 'Stored; leave empty to keep it.' : '32 hexadecimal digits.');
    const ciphered = d.auth === 'hls5' || d.security !== 'none';
    return (
        <Dialog title={meter ? `Change ${meter.name}` : 'Add a meter'} close={close} wide>
            <form onSubmit={submit} class="grid-form">
                <Field label="Name" error={at('name')}>{(p) => <input {...p} required maxLength={64} value={d.name} onInput={(e) => set({name: e.currentTarget.value})} />}</Field>
                <Field label="Place" hint="Free text, for example the kind of customer." error={at('place')}>{(p) => <input {...p} maxLength={64} value={d.place} onInput={(e) => set({place: e.currentTarget.value})} />}</Field>
                <Field label="Address" hint="tcp://host:port" error={at('url')} className="span2">{(p) => <input {...p} required class="code" spellcheck={false} value={d.url} onInput={(e) => set({url: e.currentTarget.value})} />}</Field>
                <fieldset class="group span2">
                    <legend>Association</legend>
                    <div class="grid-form">
                        <Field label="Client SAP" hint="3: reader with strong authentication" error={at('client')}>{(p) => <input {...p} type="number" min={1} max={65535} required value={d.client} onInput={(e) => set({client: e.currentTarget.value})} />}</Field>
                        <Field label="Server SAP" hint="1: management logical device" error={at('server')}>{(p) => <input {...p} type="number" min={1} max={65535} required value={d.server} onInput={(e) => set({server: e.currentTarget.value})} />}</Field>
                        <Field label="Authentication" error={at('auth')}>
                            {(p) => <select {...p} value={d.auth} onChange={(e) => set({auth: e.currentTarget.value as Meter['auth']})}>
                                <option value="none">None</option><option value="lls">Password (LLS)</option><option value="hls5">Mutual, GMAC (HLS 5)</option>
                            </select>}
                        </Field>
                        <Field label="Message security" error={at('security')}>
                            {(p) => <select {...p} value={d.security} onChange={(e) => set({security: e.currentTarget.value as Meter['security']})}>
                                <option value="none">None</option><option value="auth">Authenticated</option><option value="enc">Encrypted</option><option value="authenc">Authenticated and encrypted</option>
                            </select>}
                        </Field>
                        {ciphered && <Field label="Encryption key (GUEK)" hint={secret(meter?.has_keys)} error={at('keys', 'keys.guek', 'guek')}>{(p) => <input {...p} class="code" autocomplete="off" spellcheck={false} pattern="\s*[0-9a-fA-F]{32}\s*" value={d.guek} onInput={(e) => set({guek: e.currentTarget.value})} />}</Field>}
                        {ciphered && <Field label="Authentication key (GAK)" hint={secret(meter?.has_keys)} error={at('keys.gak', 'gak')}>{(p) => <input {...p} class="code" autocomplete="off" spellcheck={false} pattern="\s*[0-9a-fA-F]{32}\s*" value={d.gak} onInput={(e) => set({gak: e.currentTarget.value})} />}</Field>}
                        {d.auth === 'lls' && <Field label="Password" hint={meter?.has_password ? 'Stored; leave empty to keep it.' : 'As set in the meter.'} error={at('password')}>{(p) => <input {...p} type="password" autocomplete="off" value={d.password} onInput={(e) => set({password: e.currentTarget.value})} />}</Field>}
                    </div>
                </fieldset>
                <fieldset class="group span2">
                    <legend>Reading</legend>
                    <div class="grid-form">
                        <Field label="Registers every, s" error={at('register_period_s')}>{(p) => <input {...p} type="number" min={1} max={86400} required value={d.register_period_s} onInput={(e) => set({register_period_s: e.currentTarget.value})} />}</Field>
                        <Field label="Wait for an answer, s" error={at('timeout_s')}>{(p) => <input {...p} type="number" min={1} max={120} required value={d.timeout_s} onInput={(e) => set({timeout_s: e.currentTarget.value})} />}</Field>
                        <Ratio label="Current transformer" error={at('ct')} a={d.ct1} b={d.ct2} set={(ct1, ct2) => set({ct1, ct2})} />
                        <Ratio label="Voltage transformer" error={at('vt')} a={d.vt1} b={d.vt2} set={(vt1, vt2) => set({vt1, vt2})} />
                        <label class="check span2"><input type="checkbox" checked={d.enabled} onChange={(e) => set({enabled: e.currentTarget.checked})} /><span>Read this meter</span></label>
                    </div>
                </fieldset>
                <div class="span2"><FormError text={fault && !fault.field ? fault.text : fault ? 'The head-end refused a field; see above.' : null} /></div>
                <div class="actions span2">
                    <button type="submit" class="button primary" disabled={busy}>{meter ? 'Save' : 'Add meter'}</button>
                    <button type="button" class="button" onClick={close}>Cancel</button>
                </div>
            </form>
        </Dialog>
    );
}

function Ratio({label, a, b, set, error}: {label: string; a: string; b: string; set: (a: string, b: string) => void; error: string | undefined}) {
    return (
        <Field label={label} hint="1 / 1 where the registers are primary already." error={error}>
            {(p) => (
                <div class="ratio">
                    <input {...p} type="number" min={1} required value={a} onInput={(e) => set(e.currentTarget.value, b)} />
                    <span aria-hidden="true">/</span>
                    <input type="number" min={1} required aria-label={`${label}, secondary`} value={b} onInput={(e) => set(a, e.currentTarget.value)} />
                </div>
            )}
        </Field>
    );
}
