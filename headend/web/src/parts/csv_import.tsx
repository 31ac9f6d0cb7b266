// Many meters from a list: tried first, then added; each refused line with its reason.
import {useState} from 'preact/hooks';
import {api, type ImportResult} from '../api.ts';
import {count} from '../format.ts';
import {sentenceOf} from '../resource.ts';
import {Dialog} from './dialog.tsx';
import {Field, FormError} from './field.tsx';
import {Icon} from './icon.tsx';

const EXAMPLE = 'name,url,place\nMill Lane 12,tcp://127.0.0.1:40001,Household';

export function CsvImport({close, imported}: {close: () => void; imported: () => void}) {
    const [csv, setCsv] = useState('');
    const [result, setResult] = useState<{dry: boolean; found: ImportResult} | null>(null);
    const [error, setError] = useState<string | null>(null);
    const [busy, setBusy] = useState(false);

    const run = (dry: boolean): void => {
        setBusy(true);
        setError(null);
        api.importMeters(csv, dry).then(
            (found) => {
                setBusy(false);
                setResult({dry, found});
                if (!dry && found.added) imported();
            },
            (why: unknown) => {
                setBusy(false);
                setResult(null);
                setError(sentenceOf(why));
            });
    };
    const take = (text: string): void => {
        setCsv(text);
        setResult(null);
    };
    const open = (e: Event & {currentTarget: HTMLInputElement}): void => {
        const file = e.currentTarget.files?.[0];
        file?.text().then(take, () => setError('The file could not be read.'));
    };

    return (
        <Dialog title="Import meters from CSV" close={close} wide>
            <form onSubmit={(e) => { e.preventDefault(); run(true); }}>
                <Field label="File">{(p) => <input {...p} type="file" accept=".csv,text/csv,text/plain" onChange={open} />}</Field>
                <Field label="Or its text" hint="First line: name and url, and as needed place, client, server, auth, security, timeout_s, register_period_s, ct, vt, enabled, guek, gak, password.">
                    {(p) => <textarea {...p} class="code" rows={7} required spellcheck={false} placeholder={EXAMPLE} value={csv} onInput={(e) => take(e.currentTarget.value)} />}
                </Field>
                <FormError text={error} />
                {result && <Result dry={result.dry} found={result.found} />}
                <div class="actions">
                    <button type="submit" class={result?.dry ? 'button' : 'button primary'} disabled={busy || !csv.trim()}>Check</button>
                    <button type="button" class={result?.dry ? 'button primary' : 'button'} disabled={busy || !result?.dry || !result.found.added} onClick={() => run(false)}>
                        {result?.dry ? `Add ${count(result.found.added, 'meter')}` : 'Add'}
                    </button>
                    <button type="button" class="button" onClick={close}>{result && !result.dry ? 'Done' : 'Cancel'}</button>
                </div>
            </form>
        </Dialog>
    );
}

function Result({dry, found}: {dry: boolean; found: ImportResult}) {
    const {added, refused} = found;
    return (
        <div role="status">
            <p class="import-sum">
                {dry ? `${count(added, 'meter')} can be added` : `${count(added, 'meter')} added`}
                {refused ? `, ${count(refused, 'line')} refused.` : '.'}
            </p>
            <div class="scroll short" tabIndex={0} role="region" aria-label="Lines">
                <table class="lines">
                    <thead><tr><th scope="col" class="number">Line</th><th scope="col">Meter</th><th scope="col">Result</th></tr></thead>
                    <tbody>
                        {found.rows.map((r) => (
                            <tr key={r.line}>
                                <td class="number">{r.line}</td>
                                <td>{r.name ?? '\u2013'}</td>
                                <td class={r.ok ? '' : 'bad-text'}><Icon name={r.ok ? 'equal' : 'failing'} /> {r.ok ? (dry ? 'Good' : 'Added') : (r.message ?? 'Refused')}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </div>
    );
}
