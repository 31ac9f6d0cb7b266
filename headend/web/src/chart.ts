// The drawing of a curve, by uPlot: intervals as steps, registers as lines, gaps as gaps.
//
// A row's stamp is the end of its interval, so a step reaches from one period before the stamp to
// the stamp. A step is joined to the one before only where the two intervals touch: a missing row
// needs no filling value to become a gap.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import {grouped} from './format.ts';
import {duration, type Gap} from './series.ts';
import {timeTicks} from './ticks.ts';
import type {Zone} from './zone.ts';

export interface Line {
    key: string;
    label: string;
    unit: string;
    step: boolean;
    color: string; // as the style sheet gives it
    values: (number | null)[];
}

export interface AxisUnit {
    unit: string; // of the values
    name: string; // with prefix
    shift: number;
}

export interface ChartData {
    t: number[];
    period: number;
    lines: Line[];
    axes: AxisUnit[]; // one or two: left, right
    from: number;
    to: number;
    zone: Zone;
    gaps: Gap[];
    flagged: number[]; // rows whose status says something
}

export interface ChartEvents {
    cursor: (row: number | null) => void;
    zoom: (from: number, to: number) => void;
    reset: () => void;
    drawn: (u: uPlot) => void;
}

export interface Colors {
    text: string;
    grid: string;
    axis: string;
    gap: string;
    flag: string;
    surface: string;
}

const AXIS_WIDTH = 52;
const LINE_WIDTH = 1.75;

export function colors(of: Element): Colors & {series: string[]} {
    const style = getComputedStyle(of);
    const get = (name: string): string => style.getPropertyValue(name).trim();
    return {
        text: get('--muted'), grid: get('--grid'), axis: get('--line-strong'), gap: get('--gap-line'), flag: get('--warn'), surface: get('--surface'),
        series: Array.from({length: 8}, (_, i) => get(`--c${i}`)),
    };
}

// First row whose interval holds x, or the nearest where rows are points.
export function rowAt(t: readonly number[], period: number, x: number, step: boolean): number | null {
    let lo = 0;
    let hi = t.length;
    while (lo < hi) {
        const mid = (lo + hi) >> 1;
        if (t[mid]! < x) lo = mid + 1;
        else hi = mid;
    }
    if (step) return lo < t.length && x > t[lo]! - duration(t, lo, period) ? lo : null;
    const near = [lo - 1, lo].filter((i) => i >= 0 && i < t.length).sort((a, b) => Math.abs(t[a]! - x) - Math.abs(t[b]! - x))[0];
    return near !== undefined && (!period || Math.abs(t[near]! - x) <= period) ? near : null;
}

function stepPaths(d: ChartData): uPlot.Series.PathBuilder {
    return (u, s, first, last) => {
        const stroke = new Path2D();
        const fill = new Path2D();
        const scale = u.series[s]!.scale!;
        const {t} = d;
        const values = u.data[s] as (number | null)[];
        const px = (x: number): number => u.valToPos(x, 'x', true);
        const zero = u.valToPos(0, scale, true);
        let end = -1; // the stamp that the pen stands at
        for (let i = Math.max(0, first - 1); i <= Math.min(t.length - 1, last + 1); i++) {
            const v = values[i];
            if (v == null) continue;
            const start = t[i]! - duration(t, i, d.period);
            const [a, b, y] = [px(start), px(t[i]!), u.valToPos(v, scale, true)];
            if (start === end) stroke.lineTo(a, y);
            else stroke.moveTo(a, y);
            stroke.lineTo(b, y);
            fill.rect(a, Math.min(y, zero), b - a, Math.abs(zero - y));
            end = t[i]!;
        }
        return {stroke, fill, clip: null, band: null, gaps: null, flags: 1} as unknown as uPlot.Series.Paths;
    };
}

function linePaths(d: ChartData): uPlot.Series.PathBuilder {
    return (u, s, first, last) => {
        const stroke = new Path2D();
        const scale = u.series[s]!.scale!;
        const {t} = d;
        const values = u.data[s] as (number | null)[];
        let before = NaN;
        for (let i = Math.max(0, first - 1); i <= Math.min(t.length - 1, last + 1); i++) {
            const v = values[i];
            if (v == null) continue;
            const joined = !d.period || t[i]! - before <= d.period;
            stroke[joined && !Number.isNaN(before) ? 'lineTo' : 'moveTo'](u.valToPos(t[i]!, 'x', true), u.valToPos(v, scale, true));
            before = t[i]!;
        }
        return {stroke, fill: null, clip: null, band: null, gaps: null, flags: 1} as unknown as uPlot.Series.Paths;
    };
}

function drawGaps(u: uPlot, d: ChartData, c: Colors): void {
    const {ctx, bbox} = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = c.gap;
    ctx.lineWidth = devicePixelRatio;
    const pitch = 7 * devicePixelRatio;
    for (const g of d.gaps) {
        const a = Math.max(u.valToPos(g.from, 'x', true), bbox.left);
        const b = Math.min(u.valToPos(g.to, 'x', true), bbox.left + bbox.width);
        if (b <= a) continue;
        ctx.save();
        ctx.beginPath();
        ctx.rect(a, bbox.top, b - a, bbox.height);
        ctx.clip();
        ctx.beginPath();
        for (let x = a - bbox.height - ((a - bbox.height) % pitch); x < b; x += pitch) {
            ctx.moveTo(x, bbox.top + bbox.height);
            ctx.lineTo(x + bbox.height, bbox.top);
        }
        ctx.stroke();
        ctx.restore();
    }
    ctx.restore();
}

// A small triangle on the upper edge over each row with a status.
function drawFlags(u: uPlot, d: ChartData, c: Colors): void {
    const {ctx, bbox} = u;
    const size = 4 * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = c.flag;
    for (const i of d.flagged) {
        const x = u.valToPos(d.t[i]! - duration(d.t, i, d.period) / 2, 'x', true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x - size, bbox.top);
        ctx.lineTo(x + size, bbox.top);
        ctx.lineTo(x, bbox.top + size * 1.7);
        ctx.fill();
    }
    ctx.restore();
}

const axisFigure = (v: number): string => grouped(Number(v.toFixed(6)).toString());

function yAxis(a: AxisUnit, right: boolean, c: Colors): uPlot.Axis {
    return {
        scale: a.unit, side: right ? 1 : 3, size: AXIS_WIDTH, stroke: c.text, font: fontOf(), gap: 6, space: 36,
        grid: {show: !right, stroke: c.grid, width: 1}, ticks: {show: false}, border: {show: false},
        values: (_u, splits) => splits.map((v) => axisFigure(v / 10 ** a.shift)),
    };
}

const fontOf = (): string => `11px ${getComputedStyle(document.body).fontFamily}`;

function yRange(d: ChartData, unit: string): uPlot.Scale.Range {
    const fromZero = d.lines.some((l) => l.unit === unit && l.step);
    return (_u, min, max) => {
        if (min == null || max == null) return [0, 1];
        if (fromZero) return [Math.min(0, min * 1.06), max > 0 ? max * 1.06 : min < 0 ? 0 : 1];
        const pad = Math.max((max - min) * 0.06, Math.abs(max) * 1e-6, 1e-6);
        return [min - pad, max + pad];
    };
}

export function makeChart(into: HTMLElement, d: ChartData, c: Colors, size: {width: number; height: number}, on: ChartEvents): uPlot {
    const anyStep = d.lines.some((l) => l.step);
    const tint = (color: string): string => `${color}1f`;
    const xTicks = (u: uPlot, min: number, max: number) => {
        const width = u.bbox.width / devicePixelRatio;
        const edge = max - ((max - min) * 20) / width; // a label there would be cut off
        return timeTicks(d.zone, min, max, Math.max(2, Math.floor(width / 62))).map((k) => (k.t > edge ? {...k, label: ''} : k));
    };
    let ready = false;
    const options: uPlot.Options = {
        ...size,
        legend: {show: false},
        padding: [8, d.axes.length > 1 ? 0 : 12, 0, 0],
        scales: {
            x: {time: false, auto: false, range: (_u, min, max) => [min, max]},
            ...Object.fromEntries(d.axes.map((a) => [a.unit, {range: yRange(d, a.unit)}])),
        },
        axes: [
            {
                stroke: c.text, font: fontOf(), size: 30, gap: 6, grid: {stroke: c.grid, width: 1}, ticks: {show: false}, border: {show: true, stroke: c.axis, width: 1},
                splits: (u, _axis, min, max) => xTicks(u, min, max).map((k) => k.t),
                values: (u) => xTicks(u, u.scales.x!.min!, u.scales.x!.max!).map((k) => k.label),
            },
            ...d.axes.map((a, i) => yAxis(a, i > 0, c)),
        ],
        series: [
            {},
            ...d.lines.map((l, i): uPlot.Series => ({
                label: l.label, scale: l.unit, stroke: l.color, width: LINE_WIDTH, ...(l.step && i === 0 ? {fill: tint(l.color)} : {}),
                points: {show: false}, spanGaps: true, paths: l.step ? stepPaths(d) : linePaths(d),
            })),
        ],
        cursor: {
            y: false,
            drag: {x: true, y: false, setScale: true},
            dataIdx: (_u, _s, _near, x) => rowAt(d.t, d.period, x, anyStep),
            points: {show: false},
            bind: {dblclick: () => () => { on.reset(); return null; }},
        },
        hooks: {
            drawClear: [(u) => drawGaps(u, d, c)],
            draw: [(u) => { drawFlags(u, d, c); on.drawn(u); }],
            setCursor: [(u) => on.cursor(u.cursor.left == null || u.cursor.left < 0 ? null : rowAt(d.t, d.period, u.posToVal(u.cursor.left, 'x'), anyStep))],
            setScale: [(u, key) => {
                const {min, max} = u.scales.x!;
                if (ready && key === 'x' && min != null && max != null) on.zoom(min, max);
            }],
        },
    };
    const u = new uPlot(options, [d.t, ...d.lines.map((l) => l.values)] as uPlot.AlignedData, into);
    u.setScale('x', {min: d.from, max: d.to});
    queueMicrotask(() => { ready = true; });
    return u;
}
