// The curve as a part of the page: keyboard, cursor and readout around the drawing of chart.ts.
//
// For readers by ear it is a slider over the rows: arrow keys move from interval to interval and the
// values are read. "View as table" beside it shows all rows.
import type uPlot from 'uplot';
import {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';
import {colors, makeChart, type ChartData, type Line} from '../chart.ts';
import {NONE, rounded} from '../format.ts';
import {duration} from '../series.ts';
import {useTheme} from '../theme.ts';
import {clock, stamp, type Zone} from '../zone.ts';

export interface Span {
    from: number;
    to: number;
}

interface Props {
    data: Omit<ChartData, 'lines'> & {lines: (Omit<Line, 'color'> & {color: number})[]};
    words: (row: number) => string; // of the row's status
    zoom: Span | null;
    setZoom: (s: Span | null) => void;
}

const STEP_KEYS: Record<string, number> = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1};

export function intervalText(zone: Zone, t: number, since: number): string {
    return since > 0 ? `${stamp(zone, t - since)}\u2009\u2013\u2009${clock(zone, t)}` : stamp(zone, t);
}

function valueText(d: Props['data'], l: Props['data']['lines'][number], row: number): string {
    const axis = d.axes.find((a) => a.unit === l.unit);
    const v = l.values[row];
    return v == null ? NONE : `${rounded(v / 10 ** (axis?.shift ?? 0), l.step ? 4 : 7)} ${axis?.name ?? l.unit}`;
}

// Where what is drawn, in pixels of the page: read by the browser test.
function geometry(u: uPlot, d: Props['data'], palette: string[]): string {
    const over = u.over.getBoundingClientRect();
    const canvas = u.ctx.canvas.getBoundingClientRect();
    const box = {left: over.left - canvas.left, top: over.top - canvas.top, width: over.width, height: over.height};
    return JSON.stringify({
        box, ratio: devicePixelRatio, x: {min: u.scales.x!.min, max: u.scales.x!.max},
        y: Object.fromEntries(d.axes.map((a) => [a.unit, {min: u.scales[a.unit]!.min, max: u.scales[a.unit]!.max}])),
        lines: d.lines.map((l) => ({key: l.key, unit: l.unit, step: l.step, color: palette[l.color % palette.length]})),
    });
}

export function Curve({data: d, words, zoom, setZoom}: Props) {
    const frame = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const [width, setWidth] = useState(0);
    const [row, setRow] = useState<number | null>(null);
    const {shown: theme} = useTheme();
    const anyStep = d.lines.some((l) => l.step);
    const height = width < 520 ? 240 : 330;

    useLayoutEffect(() => {
        const watch = new ResizeObserver(() => setWidth(Math.floor(frame.current!.clientWidth)));
        watch.observe(frame.current!);
        setWidth(Math.floor(frame.current!.clientWidth));
        return () => watch.disconnect();
    }, []);

    useLayoutEffect(() => {
        if (!width) return;
        const c = colors(frame.current!);
        const lines = d.lines.map((l) => ({...l, color: c.series[l.color % c.series.length]!}));
        const at = zoom ?? d;
        const u = makeChart(frame.current!, {...d, lines, from: at.from, to: at.to}, c, {width, height}, {
            cursor: setRow,
            zoom: (from, to) => setZoom(from <= d.from && to >= d.to ? null : {from, to}),
            reset: () => setZoom(null),
            drawn: (v) => { if (frame.current) frame.current.dataset.plot = geometry(v, d, c.series); },
        });
        plot.current = u;
        return () => {
            u.destroy();
            plot.current = null;
        };
    }, [d, width, height, theme]);

    // Zoomed by a button or a key rather than by the mouse: the drawing follows.
    useEffect(() => {
        const u = plot.current;
        const want = zoom ?? d;
        if (u && (u.scales.x!.min !== want.from || u.scales.x!.max !== want.to)) u.setScale('x', {min: want.from, max: want.to});
    }, [zoom, d]);

    const inside = useMemo(() => {
        const at = zoom ?? d;
        const first = d.t.findIndex((t) => t > at.from);
        return {first: first < 0 ? 0 : first, last: d.t.findLastIndex((t) => t <= at.to)};
    }, [d, zoom]);

    const moveTo = (i: number): void => {
        const u = plot.current;
        if (!u || inside.last < inside.first) return;
        const to = Math.min(Math.max(i, inside.first), inside.last);
        const x = d.t[to]! - (anyStep ? duration(d.t, to, d.period) / 2 : 0);
        u.setCursor({left: u.valToPos(x, 'x'), top: u.over.clientHeight / 2});
        setRow(to);
    };

    const key = (e: KeyboardEvent): void => {
        const jump = Math.max(1, Math.round((inside.last - inside.first) / 12));
        const at = row ?? (e.key in STEP_KEYS && STEP_KEYS[e.key]! > 0 ? inside.first - 1 : inside.last + 1);
        const to = e.key in STEP_KEYS ? at + STEP_KEYS[e.key]! * (e.shiftKey ? jump : 1)
            : e.key === 'PageUp' ? at - jump : e.key === 'PageDown' ? at + jump
            : e.key === 'Home' ? inside.first : e.key === 'End' ? inside.last : null;
        if (to !== null) moveTo(to);
        else if (e.key === '+' || e.key === '=') zoomBy(0.5);
        else if (e.key === '-') zoomBy(2);
        else if (e.key === '0' || e.key === 'Escape') setZoom(null);
        else return;
        e.preventDefault();
    };

    // About the cursor, within the range.
    const zoomBy = (factor: number): void => {
        const at = zoom ?? d;
        const middle = row === null ? (at.from + at.to) / 2 : d.t[row]!;
        const half = Math.max(((at.to - at.from) * factor) / 2, d.period * 2);
        const from = Math.max(d.from, middle - half);
        const to = Math.min(d.to, middle + half);
        setZoom(from <= d.from && to >= d.to ? null : {from, to});
    };

    const shownRow = row !== null && row < d.t.length ? row : null;
    const text = shownRow === null ? 'No interval chosen; use the arrow keys'
        : `${intervalText(d.zone, d.t[shownRow]!, anyStep ? duration(d.t, shownRow, d.period) : 0)}: ${d.lines.map((l) => `${l.label} ${valueText(d, l, shownRow)}`).join(', ')}${words(shownRow) && `, ${words(shownRow)}`}`;

    return (
        <div class="curve">
            <div class="axis-units" aria-hidden="true">{d.axes.map((a) => <span key={a.unit}>{a.name}</span>)}</div>
            <div class="curve-frame" ref={frame} tabIndex={0} role="slider" aria-label="Curve, moved over by arrow keys" aria-orientation="horizontal"
                aria-valuemin={0} aria-valuemax={Math.max(0, d.t.length - 1)} aria-valuenow={shownRow ?? 0} aria-valuetext={text}
                style={{height: `${height}px`}} onKeyDown={key} />
            <Readout d={d} row={shownRow} anyStep={anyStep} words={words} />
        </div>
    );
}

function Readout({d, row, anyStep, words}: {d: Props['data']; row: number | null; anyStep: boolean; words: (row: number) => string}) {
    return (
        <div class="readout">
            <span class="readout-time">
                {row === null ? <span class="faint">Point at the curve or use the arrow keys; drag to zoom.</span>
                    : intervalText(d.zone, d.t[row]!, anyStep ? duration(d.t, row, d.period) : 0)}
            </span>
            {row !== null && d.lines.map((l) => (
                <span key={l.key} class="readout-value"><span class={`swatch c${l.color}`} aria-hidden="true" />{l.label} <b>{valueText(d, l, row)}</b></span>
            ))}
            {row !== null && words(row) && <span class="readout-flag">{words(row)}</span>}
        </div>
    );
}
