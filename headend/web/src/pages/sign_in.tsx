// The only page without a session.
import {useEffect, useRef, useState} from 'preact/hooks';
import {api, ApiError, type Session} from '../api.ts';
import {sentenceOf} from '../resource.ts';
import {Field, FormError} from '../parts/field.tsx';
import {Mark} from '../parts/icon.tsx';

function why(e: unknown): string {
    if (!(e instanceof ApiError)) return sentenceOf(e);
    if (e.status === 401) return 'User or password is wrong.';
    if (e.status === 429) return `Too many tries. Wait ${e.retryAfter ?? 'a few'} seconds and try again.`;
    return e.message;
}

export function SignInPage({ended, done}: {ended: boolean; done: (s: Session) => void}) {
    const [user, setUser] = useState('admin');
    const [password, setPassword] = useState('');
    const [error, setError] = useState<string | null>(null);
    const [busy, setBusy] = useState(false);
    const field = useRef<HTMLInputElement>(null);

    useEffect(() => {
        document.title = 'Sign in \u2013 Ferraris';
        field.current?.focus();
    }, []);

    const submit = (e: Event): void => {
        e.preventDefault();
        setBusy(true);
        setError(null);
        api.signIn(user, password).then(done, (fault: unknown) => {
            setBusy(false);
            setError(why(fault));
            field.current?.select();
        });
    };

    return (
        <main class="sign-in">
            <div class="sign-in-box">
                <h1 class="sign-in-brand"><Mark /><span>Ferraris</span></h1>
                <p class="sign-in-sub">{ended ? 'The session has ended. Please sign in again.' : 'Head-end for electricity meters'}</p>
                <form onSubmit={submit}>
                    <Field label="User">
                        {(p) => <input {...p} name="user" autocomplete="username" required value={user} onInput={(e) => setUser(e.currentTarget.value)} />}
                    </Field>
                    <Field label="Password" hint="The first start of the head-end printed it.">
                        {(p) => <input {...p} ref={field} name="password" type="password" autocomplete="current-password" required
                            value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}
                    </Field>
                    <FormError text={error} />
                    <button type="submit" class="button primary full" disabled={busy}>{busy ? 'Signing in\u2026' : 'Sign in'}</button>
                </form>
            </div>
        </main>
    );
}
