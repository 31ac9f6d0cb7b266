// demo.mjs FERRARIS SECONDS PICTURES: from `ferraris demo` to 35 days of curves of eight meters in the page.
//
// The clock runs from the start of the command to the last of the eight curves on the screen; it must
// stay within SECONDS. Then Ctrl-C, and no process and no file of the demo may be left.
import {spawn} from 'node:child_process';
import {mkdirSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const [ferraris, limit, pictures] = process.argv.slice(2);
if (!pictures) {
    console.error('usage: demo.mjs FERRARIS SECONDS PICTURES');
    process.exit(2);
}
const {chromium} = createRequire(join(process.cwd(), 'package.json'))('playwright-core');
const DAYS = 35;
const folders = () => readdirSync(tmpdir()).filter((f) => f.startsWith('ferraris-demo-'));
const before = folders();
const begun = Date.now();
const seconds = () => (Date.now() - begun) / 1000;

let failed = 0;
function check(good, what) {
    if (!good) failed++;
    console.log(`${good ? 'ok' : 'not ok'} - ${what}`);
}

const demo = spawn(ferraris, ['demo', '--listen', '127.0.0.1:0', '--days', String(DAYS)], {stdio: ['ignore', 'pipe', 'inherit']});
const ended = new Promise((resolve) => demo.on('exit', resolve));
let said = '';
demo.stdout.on('data', (d) => { said += d; });

// The address and the password, as a person reads them.
async function untilUp() {
    while (demo.exitCode === null && seconds() < 300) {
        const address = /address +(\S+)/.exec(said)?.[1];
        const password = /password +(\S+)/.exec(said)?.[1];
        if (address && password && said.includes('Ctrl-C')) return {address, password};
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the demo did not come up: ${said}`);
}

const ask = (page, path) => page.evaluate(async (p) => (await fetch(p)).json(), `/api/v1${path}`);

const dayText = (s) => new Date(s * 1000).toISOString().slice(0, 10);

// The meter's profile: how many days of rows, and the first and last date.
async function profileOf(page, meter) {
    const {profiles} = await ask(page, `/meters/${meter.id}/profiles`);
    const {obis, first, last} = profiles[0];
    const {t} = await ask(page, `/meters/${meter.id}/profiles/${obis}/values?from=${first}&to=${last + 1}`);
    return {days: t.length / 96, from: dayText(first - 900), to: dayText(last - 900)};
}

// The curve of all these days is on the screen: pixels of its canvas that are neither paper nor ink.
async function curveOf(page, meter, {from, to}) {
    await page.goto(`${new URL(page.url()).origin}/#/meters/${meter.id}?range=custom&day=${from}&to=${to}`);
    await page.getByRole('heading', {name: meter.name}).waitFor();
    await page.waitForSelector('.curve-frame[data-plot]');
    await page.waitForTimeout(300);
    return page.evaluate(() => {
        const c = document.querySelector('.curve-frame canvas');
        const {data} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        const colours = new Map();
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] < 255) continue;
            const key = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
            colours.set(key, (colours.get(key) ?? 0) + 1);
        }
        const blue = [...colours].filter(([k]) => Math.abs((k >> 16) - (k & 255)) > 60).reduce((n, [, m]) => n + m, 0);
        return blue;
    });
}

async function look(address, password) {
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    try {
        const page = await browser.newPage({viewport: {width: 1280, height: 900}});
        await page.goto(address);
        await page.getByLabel('User').fill('admin');
        await page.getByLabel('Password').fill(password);
        await page.keyboard.press('Enter');
        await page.waitForSelector('a[href^="#/meters/"]');
        const {meters} = await ask(page, '/meters');
        check(meters.length === 8 && new Set(meters.map((m) => m.device_name.slice(0, 6))).size === 8, 'eight meters, one of each model');
        for (const m of meters) {
            const profile = await profileOf(page, m);
            const pixels = await curveOf(page, m, profile);
            check(profile.days >= DAYS && pixels > 500, `${m.name}: ${profile.days.toFixed(1)} days, ${pixels} pixels of curve`);
        }
        await page.screenshot({path: join(pictures, 'demo.png')});
        check(seconds() <= Number(limit), `all eight after ${seconds().toFixed(1)} s, at most ${limit}`);
    } finally {
        await browser.close();
    }
}

mkdirSync(pictures, {recursive: true});
try {
    const {address, password} = await untilUp();
    console.log(`# up after ${seconds().toFixed(1)} s`);
    await look(address, password);
} catch (e) {
    check(false, e.stack);
}
demo.kill('SIGINT');
check(await ended === 0, 'Ctrl-C ends it');
check(folders().every((f) => before.includes(f)), 'no folder is left');
console.log(failed ? `${failed} failed` : 'all good');
process.exit(failed ? 1 : 0);
