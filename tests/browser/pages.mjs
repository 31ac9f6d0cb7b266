// pages.mjs URL PASSWORD PICTURES: looks at the pages of a running head-end as a person would.
//
// Problem: a canvas tag is no curve. So pixels are compared with what the API's values predict, in
// two themes and two widths, and two different days must look different. Also asked of each page:
// no serious fault by axe-core, no request to another host, no error in the console, no sideways
// scrolling. Run in a folder that holds node_modules (headend/web/CMakeLists.txt makes it). What the
// data do not allow to check is a failure, never a silent pass.
import {createRequire} from 'node:module';
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const [url, password, pictures] = process.argv.slice(2);
if (!pictures) {
    console.error('usage: pages.mjs URL PASSWORD PICTURES');
    process.exit(2);
}
const need = createRequire(join(process.cwd(), 'package.json'));
const {chromium} = need('playwright-core');
const axeSource = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const WIDE = {width: 1280, height: 900};
const PHONE = {width: 390, height: 844};
const SIGN_OUT_MS = 6000; // more than the 3 s after which a browser comes back for its stream
const TOLERANCE = 2; // pixels between the line and what the value predicts

let passed = 0;
let failed = 0;
function check(good, what) {
    if (good) passed++;
    else failed++;
    console.log(`${good ? 'ok' : 'not ok'} - ${what}`);
}

// ---- what the API says ----

const ask = (page, path) => page.evaluate(async (p) => (await fetch(p)).json(), `/api/v1${path}`);
const OBIS = '1-0:99.1.0.255';

// The meter's profile, its interval column that has most to show, and the rows of one UTC day.
async function dayOf(page, meter, daysBack) {
    const {profiles} = await ask(page, `/meters/${meter.id}/profiles`);
    const profile = profiles.find((p) => p.obis === OBIS);
    if (!profile || profile.last === null) return null;
    const from = Math.floor((profile.last - 1) / 86400) * 86400 - daysBack * 86400;
    const rows = await ask(page, `/meters/${meter.id}/profiles/${OBIS}/values?from=${from}&to=${from + 86401}`);
    const sums = rows.columns.map((c, i) => (c.kind === 'interval' ? rows.values[i].reduce((a, v) => a + (v ?? 0), 0) : -1));
    const c = sums.indexOf(Math.max(...sums));
    const column = rows.columns[c];
    const watts = (raw) => (raw * 10 ** column.scaler * column.multiplier * 3600) / rows.period_s;
    const intervals = rows.t.map((t, i) => ({t, watts: rows.values[c][i] === null ? null : watts(rows.values[c][i])}))
        .filter((r) => r.t > from && r.watts !== null);
    return {meter, from, rows, column, intervals, day: new Date(from * 1000).toISOString().slice(0, 10)};
}

// ---- what the canvas shows ----

// Of each pixel column: the rows that have the line's colour.
function columnsOf(page, xs) {
    return page.evaluate((wanted) => {
        const frame = document.querySelector('.curve-frame');
        const plot = JSON.parse(frame.dataset.plot);
        const canvas = frame.querySelector('canvas');
        const hex = plot.lines[0].color;
        const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
        const ratio = plot.ratio;
        const image = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const near = (x, y) => {
            const i = (y * image.width + x) * 4;
            const [pr, pg, pb, pa] = image.data.slice(i, i + 4);
            return pa > 150 && Math.abs(pr - r) + Math.abs(pg - g) + Math.abs(pb - b) < 90;
        };
        return wanted.map((x) => {
            const found = [];
            for (let y = 0; y < image.height; y++) if (near(Math.round(x * ratio), y)) found.push((y + 0.5) / ratio);
            return found;
        });
    }, xs);
}

const plotOf = (page) => page.evaluate(() => JSON.parse(document.querySelector('.curve-frame').dataset.plot));

// The page with one day and one channel; a fresh load, so that nothing of the page before is judged.
async function openDay(page, d) {
    await page.goto(`${url}/#/meters/${d.meter.id}?range=day&day=${d.day}`);
    await page.reload();
    await page.waitForSelector('.curve-frame[data-plot] canvas');
    const box = (name) => page.locator('.channel', {hasText: name}).locator('input');
    const name = d.column.obis.startsWith('1-0:1.') ? /^Import W/ : /^Export W/;
    const other = d.column.obis.startsWith('1-0:1.') ? /^Export W/ : /^Import W/;
    await box(name).check();
    if (await box(other).count()) await box(other).uncheck();
    await page.waitForFunction((from) => {
        const f = document.querySelector('.curve-frame');
        const p = f?.dataset.plot && JSON.parse(f.dataset.plot);
        return p && p.lines.length === 1 && p.x.min === from;
    }, d.from);
    await page.mouse.move(1, 1);
}

async function compareLine(page, d, what) {
    const p = await plotOf(page);
    const y = p.y[p.lines[0].unit];
    const samples = d.intervals.filter((_, i) => i % 3 === 0);
    const half = d.rows.period_s / 2;
    const xs = samples.map((s) => p.box.left + ((s.t - half - p.x.min) / (p.x.max - p.x.min)) * p.box.width);
    const ys = samples.map((s) => p.box.top + (1 - (s.watts - y.min) / (y.max - y.min)) * p.box.height);
    const columns = await columnsOf(page, xs);
    const off = samples.filter((_, i) => !columns[i].length || columns[i].some((v) => Math.abs(v - ys[i]) > TOLERANCE));
    check(samples.length > 0 && off.length === 0, `${what}: ${samples.length} places of the line are where the values say` +
        (off.length ? ` (${off.length} are not, first at ${new Date(off[0].t * 1000).toISOString()})` : ''));
    return columns.map((c) => (c.length ? c.reduce((a, b) => a + b) / c.length : -1));
}

// ---- what may not be ----

// A colour on its way from one to another is nobody's choice: transitions end first.
const stands = (page) => page.evaluate(() => Promise.race([
    Promise.allSettled(document.getAnimations().map((a) => a.finished)),
    new Promise((done) => setTimeout(done, 2000)),
]));

async function judge(page, what) {
    await stands(page);
    await page.evaluate(axeSource);
    const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
    const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    check(bad.length === 0, `${what}: axe-core finds nothing serious` +
        bad.map((v) => `\n    ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary?.replace(/\s+/g, ' ')}`).join(' | ')}`).join(''));
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(wider <= 0, `${what}: no sideways scrolling${wider > 0 ? ` (${wider} px)` : ''}`);
}

async function look(page, what) {
    await judge(page, what);
    await page.screenshot({path: join(pictures, `${what.replace(/\W+/g, '-')}.png`), fullPage: true});
}

function watch(page, faults) {
    const own = new URL(url).host;
    page.on('request', (r) => {
        const u = new URL(r.url());
        if (u.protocol !== 'data:' && u.host !== own) faults.push(`request to ${r.url()}`);
    });
    page.on('console', (m) => m.type() === 'error' && faults.push(`console: ${m.text()}`));
    page.on('pageerror', (e) => faults.push(`exception: ${e.message}`));
}

// ---- the steps ----

async function signIn(page) {
    await page.goto(url);
    await page.waitForSelector('input[name=password]');
    await look(page, 'sign-in wide light');
    await page.fill('input[name=password]', password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('table.meters tbody tr');
    check(true, 'signed in by keyboard');
}

async function chooseTheme(page, name) {
    await page.click('button[aria-label^="Account"]');
    await page.locator('.menu-panel').getByLabel(name, {exact: true}).check();
    await page.keyboard.press('Escape');
    check(await page.evaluate(() => document.documentElement.dataset.theme) === name.toLowerCase(), `theme ${name} is on`);
}

async function keyboardOnCurve(page, d) {
    await page.focus('.curve-frame');
    await page.keyboard.press('Home');
    const text = () => page.getAttribute('.curve-frame', 'aria-valuetext');
    const first = await text();
    await page.keyboard.press('ArrowRight');
    const second = await text();
    check(first !== second && /[WA]/.test(second ?? ''), `arrow keys read the curve: ${second}`);
    const whole = await plotOf(page);
    await page.keyboard.press('+');
    await page.waitForFunction((span) => {
        const p = JSON.parse(document.querySelector('.curve-frame').dataset.plot);
        return p.x.max - p.x.min < span;
    }, whole.x.max - whole.x.min);
    await page.keyboard.press('0');
    await page.waitForFunction((from) => JSON.parse(document.querySelector('.curve-frame').dataset.plot).x.min === from, d.from);
    check(true, 'keys zoom and reset');
}

async function dragZoom(page, d) {
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, {steps: 6});
    await page.mouse.up();
    await page.getByText('Reset zoom').waitFor();
    const {x} = await plotOf(page);
    check(Math.abs(x.min - (d.from + 21600)) < 400 && Math.abs(x.max - (d.from + 43200)) < 400, 'dragging zooms to the stretch');
    await page.getByText('Reset zoom').click();
    await page.waitForFunction((from) => JSON.parse(document.querySelector('.curve-frame').dataset.plot).x.min === from, d.from);
}

async function tableOf(page, d) {
    await page.getByText('View as table').click();
    await page.waitForSelector('table.rows');
    const n = await page.locator('table.rows tbody tr').count();
    const rows = d.rows.t.filter((t) => t > d.from && t <= d.from + 86400).length;
    check(n === Math.min(rows, 96), `the table has ${n} of ${rows} rows`);
    await look(page, 'table wide light');
    await page.getByText('View as curve').click();
    await page.waitForSelector('.curve-frame[data-plot] canvas');
}

async function sumsOf(page, d) {
    const n = d.rows.t.length;
    if (n !== 86400 / d.rows.period_s + 1) {
        check(false, `the day ${d.day} of ${d.meter.name} is whole (${n} rows)`);
        return;
    }
    const verdict = await page.locator('.sums li').first().locator('.word').innerText();
    check(verdict === 'equal', `sum of the intervals and rise of the register: ${verdict}`);
}

async function phasorsOf(page, d) {
    const {registers} = await ask(page, `/meters/${d.meter.id}/registers`);
    const n = registers.filter((r) => /^1-0:[357]2\.7\.0\./.test(r.obis) && r.value).length;
    await page.waitForSelector('.phasors svg');
    const drawn = await page.locator('.phasor.u').count();
    check(n > 0 && drawn === n, `${drawn} voltages in the phasor diagram`);
}

async function curves(page) {
    const {meters} = await ask(page, '/meters');
    const found = [];
    for (const m of meters) for (const back of [1, 2]) {
        const d = found.length < 3 ? await dayOf(page, m, back) : null;
        if (d && d.intervals.length >= 90 && d.intervals.some((i) => i.watts > 0)) found.push(d);
    }
    check(found.length === 3, 'there are whole days of two meters to look at');
    if (found.length < 3) return null;
    const lines = [];
    for (const d of found) {
        await openDay(page, d);
        lines.push(await compareLine(page, d, `${d.meter.name}, ${d.day}`));
    }
    const differ = (a, b) => a.filter((y, i) => Math.abs(y - (b[i] ?? -1)) > 3).length;
    check(differ(lines[0], lines[1]) > 5, 'two days of a meter look different');
    check(differ(lines[0], lines[2]) > 5, 'two meters look different');
    return found[0];
}

// A long group of registers shows its first rows, all of them when asked.
async function registersOpen(page, d) {
    const {registers} = await ask(page, `/meters/${d.meter.id}/registers`);
    const rows = () => page.locator('table.registers tbody tr').count();
    const few = await rows();
    const more = page.getByRole('button', {name: 'Show all'});
    while (await more.count()) await more.first().click();
    const all = await rows();
    check(few < all && all === registers.length, `registers: ${few} at first, ${all} of ${registers.length} when asked`);
}

async function everyPage(page, d, how) {
    await page.goto(`${url}/#/meters`);
    await page.waitForSelector('table.meters tbody tr');
    await look(page, `list ${how}`);
    await page.goto(`${url}/#/meters/${d.meter.id}`);
    await page.waitForSelector('.curve-frame[data-plot] canvas');
    await page.waitForSelector('table.registers');
    await look(page, `meter ${how}`);
    await registersOpen(page, d);
    await page.goto(`${url}/#/meters`);
    await page.getByRole('button', {name: 'Add meter'}).first().click();
    await page.waitForSelector('dialog[open]');
    await look(page, `add ${how}`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'Import CSV'}).click();
    await page.fill('dialog textarea', 'name,url\nA,tcp://127.0.0.1:1\nB,nonsense');
    await page.getByRole('button', {name: 'Check'}).click();
    await page.waitForSelector('dialog table');
    check(await page.locator('dialog tbody tr').count() === 2, `import ${how}: each line has its result`);
    await look(page, `import ${how}`);
    await page.keyboard.press('Escape');
}

// The answer comes late, as from a head-end under load: longer than the head-end takes to close the
// streams of a session that has ended, and the browser to come back for them.
async function signOut(page) {
    await page.route('**/api/v1/session', async (route) => {
        const answer = await route.fetch();
        await new Promise((done) => setTimeout(done, SIGN_OUT_MS));
        await route.fulfill({response: answer});
    });
    await page.click('button[aria-label^="Account"]');
    await page.getByText('Sign out').click();
    await page.waitForSelector('input[name=password]');
    await page.unroute('**/api/v1/session');
}

const listed = (faults) => faults.map((f) => `\n    ${f}`).join('');

async function run(browser) {
    const faults = [];
    const context = await browser.newContext({viewport: WIDE, colorScheme: 'light', timezoneId: 'UTC', locale: 'en-GB'});
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    watch(page, faults);
    await signIn(page);
    await page.getByText('Live', {exact: true}).waitFor();
    check(true, 'the live stream stands');
    const d = await curves(page);
    if (d) {
        await openDay(page, d);
        await sumsOf(page, d);
        await phasorsOf(page, d);
        await keyboardOnCurve(page, d);
        await dragZoom(page, d);
        await tableOf(page, d);
        await everyPage(page, d, 'wide light');
        await chooseTheme(page, 'Dark');
        await openDay(page, d);
        await compareLine(page, d, 'dark theme');
        await everyPage(page, d, 'wide dark');
        await page.setViewportSize(PHONE);
        await everyPage(page, d, 'phone dark');
        await chooseTheme(page, 'Light');
        await everyPage(page, d, 'phone light');
        await openDay(page, d);
        await page.screenshot({path: join(pictures, 'day-phone-light.png')});
    }
    await signOut(page);
    check(faults.length === 0, `signing out is refused nothing${listed(faults)}`);
    const [, status] = await Promise.all([
        page.waitForEvent('console', (m) => /401/.test(m.text())), // this refusal is asked for: one, and no other
        page.evaluate(async () => (await fetch('/api/v1/meters')).status),
    ]);
    check(status === 401, 'signing out ends the session');
    const asked = faults.findIndex((f) => /^console: .*401/.test(f));
    const rest = faults.filter((_, i) => i !== asked);
    check(rest.length === 0, `no request elsewhere and no error in the console${listed(rest)}`);
    await context.close();
}

mkdirSync(pictures, {recursive: true});
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
    await run(browser);
} catch (e) {
    check(false, `went to its end: ${e.stack}`);
} finally {
    await browser.close();
}
console.log(`[  ${failed ? 'FAILED  ' : '     OK '}] claim_SIMS_GRAPHS`); // see tests/claims/README.md
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
