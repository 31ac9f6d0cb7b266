// system.mjs FERRARIS PICTURES: three meters with four days behind them, a head-end that reads them,
// and pages.mjs looking at it; then two meters that lived through the change of the clocks, and
// nights.mjs. The real programs of this build, on loopback, in a folder of its own.
//
// Refuses to leave anything behind: each process is ended by its id and waited for, the folder goes.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const [ferraris, pictures] = process.argv.slice(2);
if (!pictures) {
    console.error('usage: system.mjs FERRARIS PICTURES');
    process.exit(2);
}
const METERS = [
    {name: 'Mill Lane 12', place: 'Household, three-phase', model: 'ST402D', source: 'load:household'},
    {name: 'Sunnyside Roof', place: 'Photovoltaic plant', model: 'AD13A', source: 'load:pv'},
    {name: 'Substation North', place: 'Feeder', model: 'SMARTESOX-P', source: 'load:substation'},
];
const NIGHTS = [
    {day: '2026-03-29', hours: 23, start: '2026-03-27T12:00:00Z', model: 'MT371', name: 'A day of 23 hours'},
    {day: '2026-10-25', hours: 25, start: '2026-10-23T12:00:00Z', model: 'SM402D', name: 'A day of 25 hours'},
];
const START_MS = 90000;
const READ_MS = 120000;
const folder = mkdtempSync(join(tmpdir(), 'ferraris-browser-'));
const children = [];

function start(words) {
    const child = spawn(ferraris, words, {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
    child.log = '';
    child.stderr.on('data', (d) => { child.log = (child.log + d).slice(-4000); });
    child.ended = new Promise((resolve) => child.on('exit', resolve));
    children.push(child);
    return child;
}

// The lines of the process up to the one that says where it listens.
async function untilListening(child, what) {
    const lines = [];
    const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
    try {
        for await (const line of createInterface({input: child.stdout})) {
            lines.push(line);
            const at = /^listening on (\S+)/.exec(line);
            if (at) {
                child.stdout.resume();
                return {at: at[1], lines};
            }
        }
    } finally {
        clearTimeout(late);
    }
    throw new Error(`${what} did not start: ${child.log}`);
}

async function startMeter(m, i) {
    const keys = `${i}.keys`;
    const life = m.start ? ['--start', m.start, '--speed', '0'] : ['--live-level', 'sample', '--until', 'now'];
    const child = start(['meter', '--model', m.model, '--source', m.source ?? 'load:household', '--keys', keys, '--listen', '127.0.0.1:0', '--level', 'window',
        ...life, '--fast-forward', '4d', '--seed', String(11 + i)]);
    const {at} = await untilListening(child, m.name);
    const text = readFileSync(join(folder, keys), 'utf8');
    const key = (name) => new RegExp(`^${name} = (\\S+)`, 'm').exec(text)[1];
    return {name: m.name, place: m.place ?? '', url: `tcp://${at}`, register_period_s: 5, client: 3, auth: 'hls5', security: 'authenc', keys: {guek: key('guek'), gak: key('gak')}};
}

async function signIn(url, password) {
    const r = await fetch(`${url}/api/v1/session`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({user: 'admin', password})});
    if (!r.ok) throw new Error(`signing in: ${r.status} ${await r.text()}`);
    const {csrf} = await r.json();
    const cookie = r.headers.get('set-cookie').split(';')[0];
    return async (path, body) => {
        const answer = await fetch(`${url}/api/v1${path}`, {
            method: body ? 'POST' : 'GET', headers: {cookie, 'x-csrf-token': csrf, ...(body ? {'content-type': 'application/json'} : {})}, ...(body ? {body: JSON.stringify(body)} : {}),
        });
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    };
}

async function untilRead(call, n, good) {
    const until = Date.now() + READ_MS;
    for (;;) {
        const {meters} = await call('/meters');
        if (meters.length === n && meters.every((m) => m.up_to_date && good(m))) return;
        if (Date.now() > until) throw new Error(`the meters are not read: ${JSON.stringify(meters.map((m) => [m.name, m.activity, m.error]))}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

async function runScript(name, words) {
    const script = join(dirname(fileURLToPath(import.meta.url)), name);
    const child = spawn(process.execPath, [script, ...words], {stdio: 'inherit'});
    return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

// Both meters lived four days and stand still, so nothing of them changes any more.
async function runNights(call, url, password) {
    const meters = await Promise.all(NIGHTS.map((m, i) => startMeter(m, METERS.length + i)));
    const nights = [];
    for (const [i, m] of meters.entries()) {
        const {id} = await call('/meters', m);
        nights.push({day: NIGHTS[i].day, hours: NIGHTS[i].hours, url: m.url, keys: `${METERS.length + i}.keys`, id});
    }
    await untilRead(call, METERS.length + NIGHTS.length, () => true);
    return runScript('nights.mjs', [ferraris, url, password, folder, JSON.stringify(nights)]);
}

async function end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10000);
    await child.ended;
    clearTimeout(late);
}

let code = 1;
try {
    const meters = await Promise.all(METERS.map(startMeter));
    const headEnd = await untilListening(start(['headend', 'run', '--data', 'data', '--listen', '127.0.0.1:0']), 'the head-end');
    const url = headEnd.at.startsWith('http') ? headEnd.at : `http://${headEnd.at}`;
    const password = /password: (\S+)/.exec(headEnd.lines.join('\n'))?.[1];
    if (!password) throw new Error('the head-end printed no password');
    const call = await signIn(url, password);
    for (const m of meters) await call('/meters', m);
    await untilRead(call, METERS.length, (m) => m.quality === 'fresh');
    code = await runScript('pages.mjs', [url, password, pictures]);
    code ||= await runNights(call, url, password);
} catch (e) {
    console.log(`not ok - the system runs: ${e.stack}`);
} finally {
    for (const child of children.reverse()) await end(child);
    rmSync(folder, {recursive: true, force: true});
}
process.exit(code);
