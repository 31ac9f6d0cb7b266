// Changing one's own password.
import {useState} from 'preact/hooks';
import {api, ApiError} from '../api.ts';
import {sentenceOf} from '../resource.ts';
import {Dialog} from './dialog.tsx';
import {Field, FormError} from './field.tsx';
import {notify} from './notices.tsx';

export function PasswordDialog({user, close}: {user: string; close: () => void}) {
    const [old, setOld] = useState('');
    const [fresh, setFresh] = useState('');
    const [again, setAgain] = useState('');
    const [error, setError] = useState<string | null>(null);
    const [busy, setBusy] = useState(false);

    const submit = (e: Event): void => {
        e.preventDefault();
        if (fresh !== again) {
            setError('The two new passwords differ.');
            return;
        }
        setBusy(true);
        api.changePassword(old, fresh).then(
            () => {
                notify('The password is changed.');
                close();
            },
            (why: unknown) => {
                setBusy(false);
                setError(why instanceof ApiError && why.status === 429 && why.retryAfter
                    ? `Too many tries; wait ${why.retryAfter} s.` : sentenceOf(why));
            });
    };

    return (
        <Dialog title="Change password" close={close}>
            <form onSubmit={submit}>
                <input type="text" autocomplete="username" value={user} readOnly hidden />
                <Field label="Old password">
                    {(p) => <input {...p} type="password" autocomplete="current-password" required value={old} onInput={(e) => setOld(e.currentTarget.value)} />}
                </Field>
                <Field label="New password" hint="A few words in a row are good; at least 10 characters.">
                    {(p) => <input {...p} type="password" autocomplete="new-password" required minLength={10} value={fresh} onInput={(e) => setFresh(e.currentTarget.value)} />}
                </Field>
                <Field label="New password again">
                    {(p) => <input {...p} type="password" autocomplete="new-password" required value={again} onInput={(e) => setAgain(e.currentTarget.value)} />}
                </Field>
                <FormError text={error} />
                <div class="actions">
                    <button type="submit" class="button primary" disabled={busy}>Change password</button>
                    <button type="button" class="button" onClick={close}>Cancel</button>
                </div>
            </form>
        </Dialog>
    );
}
