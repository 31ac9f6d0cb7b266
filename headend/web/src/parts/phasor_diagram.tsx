// Voltages and currents as arrows: U(L1) points up, angles count anticlockwise, phases follow each
// other clockwise when the sequence is right. Voltages and currents have a scale of their own each.
import type {Register} from '../api.ts';
import {fixed, roundedFigure} from '../format.ts';
import {byObis, normal, phasors, type Phasor} from '../instant.ts';

const R = 104; // of the outer ring, in units of the drawing
const I_PART = 0.72; // currents are drawn inside the voltages

const point = (angle: number, r: number): [number, number] => {
    const a = ((angle + 90) * Math.PI) / 180;
    return [Math.cos(a) * r, -Math.sin(a) * r];
};
const f = (n: number): string => n.toFixed(1);
const deg = (a: number): string => `${fixed(Math.round(normal(a) * 10) / 10, 1)}°`;

interface ArrowProps {
    angle: number;
    length: number;
    kind: 'u' | 'i';
    phase: number;
    label: string;
    side?: 1 | -1; // of the arrow, where the label of a current stands
}

function Arrow({angle, length, kind, phase, label, side = 1}: ArrowProps) {
    const head = kind === 'u' ? 9 : 7;
    const [x, y] = point(angle, length);
    const tail = Math.max(0, length - head);
    const [bx, by] = point(angle, tail);
    const half = head * 0.42;
    const a = ((angle + 90) * Math.PI) / 180;
    const [nx, ny] = [Math.sin(a) * half, Math.cos(a) * half];
    // A current often lies on its voltage: its label stands beside the arrow, away from the voltage.
    const turn = (13 / Math.max(length - 6, 13)) * (180 / Math.PI);
    const [lx, ly] = kind === 'u' ? point(angle, length + 14) : point(angle + side * turn, length - 4);
    return (
        <g class={`phasor ${kind} p${phase}`}>
            <line x1="0" y1="0" x2={f(bx)} y2={f(by)} />
            <polygon points={`${f(x)},${f(y)} ${f(bx + nx)},${f(by + ny)} ${f(bx - nx)},${f(by - ny)}`} />
            <text x={f(lx)} y={f(ly)}>{label}</text>
        </g>
    );
}

function describe(list: Phasor[]): string {
    return list.map((p) => {
        const u = `U L${p.phase} ${roundedFigure(p.u, 'V').text} V at ${deg(p.uAngle)}`;
        const i = p.i === null ? '' : `, I L${p.phase} ${roundedFigure(p.i, 'A').text} A${p.phi === null ? '' : ` at ${deg(p.uAngle - p.phi)}`}`;
        return u + i;
    }).join('; ');
}

export function PhasorDiagram({registers}: {registers: readonly Register[]}) {
    const found = phasors(byObis(registers));
    if (!found) return <p class="none">This meter gives no voltages, so there is nothing to draw.</p>;
    const {list, assumed} = found;
    const uMax = Math.max(...list.map((p) => p.u ?? 0), 1e-9);
    const iMax = Math.max(...list.map((p) => p.i ?? 0));
    return (
        <div class="phasors">
            <svg viewBox="-132 -132 264 264" role="img" aria-label={`Phasor diagram: ${describe(list)}`}>
                {[R, R * I_PART, R * 0.36].map((r) => <circle key={r} class="ring" r={r} />)}
                {Array.from({length: 12}, (_, k) => {
                    const [x, y] = point(k * 30, R);
                    return <line key={k} class={k % 3 ? 'spoke' : 'spoke main'} x1="0" y1="0" x2={f(x)} y2={f(y)} />;
                })}
                {list.map((p) => (p.u ? <Arrow key={`u${p.phase}`} kind="u" phase={p.phase} angle={p.uAngle} length={(p.u / uMax) * R} label={`U${p.phase}`} /> : null))}
                {list.map((p) => (p.i && iMax > 0 && p.phi !== null
                    ? <Arrow key={`i${p.phase}`} kind="i" phase={p.phase} side={p.phi > 0 ? -1 : 1} angle={p.uAngle - p.phi} length={Math.max((p.i / iMax) * R * I_PART, 10)} label={`I${p.phase}`} /> : null))}
                <circle class="hub" r="2.5" />
            </svg>
            <table class="angles">
                <caption class="hidden">Angles</caption>
                <thead><tr><th scope="col">Phase</th><th scope="col" class="number">∠ U</th><th scope="col" class="number">φ (U to I)</th></tr></thead>
                <tbody>
                    {list.map((p) => (
                        <tr key={p.phase}>
                            <th scope="row"><span class={`phase-dot p${p.phase}`} aria-hidden="true" />L{p.phase}</th>
                            <td class="number">{deg(p.uAngle)}</td>
                            <td class="number">{p.phi === null ? '\u2013' : deg(p.phi)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
            {assumed.map((text) => <p key={text} class="note">{text}</p>)}
        </div>
    );
}
