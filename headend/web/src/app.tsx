// Who is signed in, and which page is shown.
import {useCallback, useEffect, useState} from 'preact/hooks';
import {api, ApiError, mayBeSignedIn, onSignedOut, type Session} from './api.ts';
import {startLive} from './live.ts';
import {sentenceOf} from './resource.ts';
import {METERS, useRoute} from './routes.ts';
import {MeterPage} from './pages/meter.tsx';
import {MetersPage} from './pages/meters.tsx';
import {SignInPage} from './pages/sign_in.tsx';
import {Head} from './parts/head.tsx';
import {Notices} from './parts/notices.tsx';
import {Problem} from './parts/problem.tsx';

type State = {at: 'asking'} | {at: 'out'; ended: boolean} | {at: 'in'; session: Session} | {at: 'failed'; why: string};

export function App() {
    const [state, set] = useState<State>(() => (mayBeSignedIn() ? {at: 'asking'} : {at: 'out', ended: false}));

    const ask = useCallback(() => {
        api.session().then(
            (session) => set({at: 'in', session}),
            (e: unknown) => {
                const out = e instanceof ApiError && e.status === 401;
                set((s) => (out ? {at: 'out', ended: s.at === 'in'} : {at: 'failed', why: sentenceOf(e)}));
            });
    }, []);

    useEffect(() => {
        onSignedOut(() => set((s) => (s.at === 'in' ? {at: 'out', ended: true} : s)));
        if (mayBeSignedIn()) ask();
    }, [ask]);

    if (state.at === 'asking') return <div class="blank" aria-busy="true" />;
    if (state.at === 'failed') return <main class="page"><Problem text={state.why} again={ask} /></main>;
    if (state.at === 'out') return <SignInPage ended={state.ended} done={(session) => set({at: 'in', session})} />;
    return <SignedIn session={state.session} out={() => set({at: 'out', ended: false})} />;
}

function SignedIn({session, out}: {session: Session; out: () => void}) {
    const route = useRoute();
    useEffect(startLive, []);
    const key = route.page === 'meter' ? `meter ${route.id}` : route.page;
    // A new page begins at its top and with its heading for those who read by ear.
    useEffect(() => scrollTo(0, 0), [key]);
    return (
        <>
            <a class="skip" href="#main" onClick={skip}>Skip to the content</a>
            <Head session={session} signedOut={out} />
            <main class="page" id="main" tabIndex={-1}>
                {route.page === 'meters' && <MetersPage />}
                {route.page === 'meter' && <MeterPage key={route.id} route={route} />}
                {route.page === 'unknown' && <Unknown />}
            </main>
            <Notices />
        </>
    );
}

// The hash is the route, so the link must not change it.
function skip(e: Event): void {
    e.preventDefault();
    document.getElementById('main')?.focus();
}

function Unknown() {
    useEffect(() => {
        document.title = 'Not found \u2013 Ferraris';
    }, []);
    return (
        <div class="empty">
            <h1>There is no such page</h1>
            <p>The address may be mistyped. <a href={METERS}>Go to the meters</a></p>
        </div>
    );
}
