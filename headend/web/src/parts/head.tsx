// The bar on top: where one is, how the system is, how the page looks, who is signed in.
import {useState} from 'preact/hooks';
import {api, type Health, type Session} from '../api.ts';
import {count, whole} from '../format.ts';
import {pauseLive, useLive, useLiveState, type LiveState} from '../live.ts';
import {useEffect} from 'preact/hooks';
import {sentenceOf, useResource, type Resource} from '../resource.ts';
import {METERS} from '../routes.ts';
import {setTheme, useTheme, type Theme} from '../theme.ts';
import {Icon, Mark} from './icon.tsx';
import {Menu} from './menu.tsx';
import {notify} from './notices.tsx';
import {PasswordDialog} from './password.tsx';
import {Segments} from './segments.tsx';

const HEALTH_EVERY_MS = 15000;
const THEMES: readonly (readonly [Theme, string])[] = [['light', 'Light'], ['dark', 'Dark'], ['auto', 'System']];

export function Head({session, signedOut}: {session: Session; signedOut: () => void}) {
    const [changing, change] = useState(false);
    const signOut = (): void => {
        const resume = pauseLive();
        api.signOut().then(signedOut, (e: unknown) => {
            resume();
            notify(sentenceOf(e), true);
        });
    };
    return (
        <header class="head">
            <div class="head-inner">
                <a class="brand" href={METERS} aria-label="Ferraris, all meters"><Mark /><span>Ferraris</span></a>
                <nav aria-label="Pages"><a href={METERS}>Meters</a></nav>
                <div class="head-right">
                    <HealthMenu />
                    <LiveSign />
                    <Menu label={`Account and appearance, ${session.user}`} face={<><Icon name="user" /><span class="wide-only">{session.user}</span><Icon name="down" /></>}>
                        {(close) => (
                            <>
                                <ThemeChoice />
                                <hr />
                                <button type="button" class="menu-item" onClick={() => { close(); change(true); }}>Change password</button>
                                <a class="menu-item" href="/api/v1/openapi.json">Interface (OpenAPI)</a>
                                <a class="menu-item" href="/licences.txt">Licences</a>
                                <hr />
                                <button type="button" class="menu-item" onClick={signOut}>Sign out</button>
                            </>
                        )}
                    </Menu>
                </div>
            </div>
            {changing && <PasswordDialog user={session.user} close={() => change(false)} />}
        </header>
    );
}

function ThemeChoice() {
    const {theme} = useTheme();
    return (
        <div class="menu-row">
            <span aria-hidden="true">Theme</span>
            <Segments label="Theme" options={THEMES} value={theme} set={setTheme} />
        </div>
    );
}

const LIVE: Record<LiveState, [string, string]> = {
    connecting: ['Connecting', 'The live stream is being opened.'],
    live: ['Live', 'New readings appear by themselves.'],
    lost: ['Offline', 'The live stream is interrupted; it is tried again every few seconds.'],
};

function LiveSign() {
    const state = useLiveState();
    const [word, meaning] = LIVE[state];
    return (
        <span class={`live ${state}`} title={meaning} role="status">
            <span class="dot" aria-hidden="true" /><span>{word}</span>
        </span>
    );
}

function useHealth(): Resource<Health> {
    const health = useResource('health', api.health);
    useEffect(() => {
        const timer = setInterval(health.reload, HEALTH_EVERY_MS);
        return () => clearInterval(timer);
    }, [health.reload]);
    useLive((e) => e.kind === 'meter' || e.kind === 'again', health.reload, 5000);
    return health;
}

function healthWords(h: Resource<Health>): [string, string] {
    if (h.error) return ['bad', 'Not reachable'];
    if (!h.data) return ['', 'System'];
    if (h.data.status !== 'ok') return ['bad', 'Degraded'];
    return h.data.failing ? ['warn', `${h.data.failing} failing`] : ['good', 'System ok'];
}

function HealthMenu() {
    const health = useHealth();
    const [tone, word] = healthWords(health);
    const h = health.data;
    return (
        <Menu label={`System: ${word}`} face={<><span class={`dot ${tone}`} aria-hidden="true" /><span>{word}</span></>}>
            {() => (
                <div class="health">
                    <h2>System</h2>
                    {health.error && <p class="bad-text">{health.error}</p>}
                    {h?.reason && <p class="bad-text">{h.reason}</p>}
                    {h && (
                        <dl>
                            <dt>Meters read completely</dt><dd>{h.up_to_date} of {h.meters}</dd>
                            <dt>Failing</dt><dd>{h.failing}</dd>
                            <dt>Connections open</dt><dd>{h.connections}</dd>
                            <dt>Profile rows since start</dt><dd>{whole(h.rows)}</dd>
                            <dt>Values since start</dt><dd>{whole(h.values)}</dd>
                            <dt>Version</dt><dd>{h.version}</dd>
                        </dl>
                    )}
                    {h && !h.meters && <p>{count(0, 'meter')}: add the first one on the list.</p>}
                </div>
            )}
        </Menu>
    );
}
