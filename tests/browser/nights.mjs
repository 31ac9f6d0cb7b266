// nights.mjs FERRARIS URL PASSWORD FOLDER NIGHTS: the two days a year that have 23 and 25 hours, in
// meter, tool, head-end, export and page.
//
// NIGHTS is JSON: of each night the day, its hours, the address of a meter that lived it, its keys
// file in FOLDER, its id in the head-end. The meter is asked for a *local* day without offset, so
// its own clock says which rows belong to it; API, CSV and page are then held against these rows.
// The browser stands in the meter's time zone. Run where pages.mjs runs.
import {execFileSync} from 'node:child_process';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const [ferraris, url, password, folder, nightsText] = process.argv.slice(2);
const nights = JSON.parse(nightsText ?? '[]');
const need = createRequire(join(process.cwd(), 'package.json'));
const {chromium} = need('playwright-core');
const OBIS = '1-0:99.1.0.255';
const INTERVAL = '1-0:1.29.0.255';
const REGISTER = '1-0:1.8.0.255';
const ZONE = 'Europe/Ljubljana';

let failed = 0;
function check(good, what) {
    if (!good) failed++;
    console.log(`${good ? 'ok' : 'not ok'} - ${what}`);
}

const nextDay = (day) => new Date(Date.parse(`${day}T12:00:00Z`) + 86400000).toISOString().slice(0, 10);
const seconds = (text) => Date.parse(text) / 1000;

// ---- meter and tool ----

// Rows of the local day: the stamp of a row is the end of its interval, so midnight is yesterday's.
function told(night) {
    const out = execFileSync(ferraris, ['profile', '--auth', 'hls5', '--keys', join(folder, night.keys), '--json', '--from', `${night.day}T00:00:01`,
        '--to', `${nextDay(night.day)}T00:00:00`, night.url, OBIS], {encoding: 'utf8'});
    const {columns, rows} = JSON.parse(out);
    const at = (obis) => columns.findIndex((c) => c.obis === obis);
    return rows.map((r) => ({time: r[0], t: seconds(r[0]), status: r[1], energy: r[at(INTERVAL)], register: r[at(REGISTER)]}));
}

// 00:15 to 24:00 by the clock on the wall: the hour from two to three is not there, or twice.
function wallTimes(hours) {
    const list = [];
    for (let i = 1; i <= hours * 4; i++) {
        const minutes = hours === 23 ? (i < 8 ? i : i + 4) * 15 : (i < 12 ? i : i - 4) * 15;
        const two = (n) => String(n).padStart(2, '0');
        list.push(`${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`);
    }
    return list;
}

function meterDay(night, rows) {
    const times = wallTimes(night.hours);
    const wrong = times.findIndex((w, i) => rows[i]?.time.slice(11, 16) !== w);
    check(rows.length === night.hours * 4 && wrong < 0, `${night.day}: the meter has ${rows.length} quarters of an hour` + (wrong < 0 ? '' : `, not ${times[wrong]} but ${rows[wrong]?.time}`));
    check(rows.every((r, i) => i === 0 || r.t === rows[i - 1].t + 900), `${night.day}: they follow each other in UTC`);
    const summer = (r) => r.time.endsWith('+02:00');
    check(rows.every((r) => Boolean(r.status & 8) === summer(r)), `${night.day}: the mark of summer time is that of the offset`);
    check(rows.filter(summer).length === (night.hours === 23 ? 85 : 11), `${night.day}: ${rows.filter(summer).length} of them are in summer time`);
    const sum = rows.slice(1).reduce((a, r) => a + r.energy, 0);
    check(sum > 0 && sum === rows.at(-1).register - rows[0].register, `${night.day}: intervals sum up to the register`);
}

// ---- head-end: API and export ----

async function signIn() {
    const r = await fetch(`${url}/api/v1/session`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({user: 'admin', password})});
    if (!r.ok) throw new Error(`signing in: ${r.status}`);
    return r.headers.get('set-cookie').split(';')[0];
}

async function headEndDay(night, rows, cookie) {
    const [from, to] = [rows[0].t, rows.at(-1).t + 1];
    const path = `${url}/api/v1/meters/${night.id}/profiles/${OBIS}/values?from=${from}&to=${to}`;
    const api = await (await fetch(path, {headers: {cookie}})).json();
    const c = api.columns.findIndex((x) => x.obis === INTERVAL);
    check(api.t.length === rows.length && rows.every((r, i) => api.t[i] === r.t && api.values[c][i] === r.energy), `${night.day}: the API has the same ${api.t.length} rows`);
    const csv = (await (await fetch(`${path}&format=csv`, {headers: {cookie}})).text()).trimEnd().split('\r\n');
    const column = csv[0].split(',').findIndex((h) => h.startsWith(`"${INTERVAL}`));
    const scale = 10 ** api.columns[c].scaler * api.columns[c].multiplier;
    const same = rows.every((r, i) => {
        const cells = csv[i + 1]?.split(',') ?? [];
        return cells[0] === r.time && Math.abs(Number(cells[column]) - r.energy * scale) < 1e-6;
    });
    check(csv.length === rows.length + 1 && same, `${night.day}: the export has the same ${csv.length - 1} lines, offsets included`);
    return rows.reduce((a, r) => a + r.energy, 0) * scale; // Wh
}

// ---- page ----

async function pageDay(page, night, rows, wh) {
    await page.goto(`${url}/#/meters/${night.id}?range=day&day=${night.day}`);
    await page.reload();
    const from = rows[0].t - 900;
    await page.waitForFunction((at) => {
        const f = document.querySelector('.curve-frame');
        return f?.dataset.plot && JSON.parse(f.dataset.plot).x.min === at;
    }, from);
    const {x} = await page.evaluate(() => JSON.parse(document.querySelector('.curve-frame').dataset.plot));
    check(x.max - x.min === night.hours * 3600, `${night.day}: the page's day has ${(x.max - x.min) / 3600} hours`);
    await page.goto(`${url}/#/meters/${night.id}?range=week&day=${night.day}`);
    await page.reload();
    const bar = page.locator('.day-bars button');
    await bar.first().waitFor();
    const labels = await bar.evaluateAll((list) => list.map((b) => b.getAttribute('aria-label')));
    const [, month, day] = night.day.split('-').map(Number);
    const name = `${day} ${['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct'][month - 1]}`;
    const label = labels.find((l) => l.includes(name)) ?? '';
    const figure = Number(/: ([\d.,\s\u202f\u00a0]+) kWh/.exec(label)?.[1].replace(/[^\d.]/g, ''));
    check(!/ of \d+ rows/.test(label) && Math.abs(figure * 1000 - wh) < 0.05, `${night.day}: the page's total is that of the meter's rows, none missing: ${label} (${(wh / 1000).toFixed(4)} kWh)`);
}

async function run(browser) {
    const cookie = await signIn();
    const context = await browser.newContext({viewport: {width: 1280, height: 900}, timezoneId: ZONE, locale: 'en-GB'});
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    await page.goto(url);
    await page.fill('input[name=password]', password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('table.meters tbody tr');
    for (const night of nights) {
        const rows = told(night);
        meterDay(night, rows);
        const wh = await headEndDay(night, rows, cookie);
        await pageDay(page, night, rows, wh);
    }
    await context.close();
}

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
    await run(browser);
    check(nights.length === 2, 'both nights were looked at');
} catch (e) {
    check(false, `went to its end: ${e.stack}`);
} finally {
    await browser.close();
}
console.log(`[  ${failed ? 'FAILED  ' : '     OK '}] claim_SYS_DSTCHAIN`); // see tests/claims/README.md
process.exit(failed ? 1 : 0);
