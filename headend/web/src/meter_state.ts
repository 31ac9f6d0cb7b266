// One word for the state of a meter, and the sentence behind it.
import type {Meter, Quality} from './api.ts';
import {whole} from './format.ts';
import {seconds, serverNow} from './now.ts';

export type MeterState = 'fresh' | 'stale' | 'never' | 'failing' | 'disabled';
export const STATES: readonly MeterState[] = ['fresh', 'stale', 'failing', 'never', 'disabled'];

export const STATE_WORDS: Record<MeterState, string> = {
    fresh: 'Fresh', stale: 'Stale', never: 'Never read', failing: 'Failing', disabled: 'Disabled',
};

export const STATE_MEANING: Record<MeterState, string> = {
    fresh: 'The newest register is not older than two reading periods.',
    stale: 'The newest register is older than two reading periods.',
    never: 'No register of this meter has been read yet.',
    failing: 'The last attempt to read this meter failed.',
    disabled: 'This meter is not contacted.',
};

// How long a value of this meter is fresh, in seconds: the head-end's rule.
export const freshFor = (m: Meter): number => 2 * m.register_period_s + 30;

// What the head-end said may have become old since: nothing is sent while nothing happens.
export function qualityAt(quality: Quality, at: string | null, fresh: number, now: number): Quality {
    const t = seconds(at);
    return quality === 'fresh' && t !== null && now - t > fresh ? 'stale' : quality;
}

const qualityOf = (m: Meter): Quality => qualityAt(m.quality, m.last_reading, freshFor(m), serverNow());

export function stateOf(m: Meter): MeterState {
    if (!m.enabled || m.activity === 'disabled') return 'disabled';
    if (m.n_failed > 0) return 'failing';
    return qualityOf(m);
}

// Values of such a meter may not be those of now.
export const isOld = (m: Meter): boolean => qualityOf(m) !== 'fresh' || !m.enabled;

export function activityText(m: Meter): string | null {
    if (m.activity === 'connecting') return 'Connecting';
    if (m.activity !== 'reading') return null;
    return m.rows_expected > 0 ? `Row ${whole(m.rows_done)} of ${whole(m.rows_expected)}` : 'Reading';
}

// What the meter calls itself, for searching and sorting.
export function deviceText(m: Meter): string {
    return [m.device_name, m.serial && m.serial !== m.device_name ? m.serial : ''].filter(Boolean).join(' \u00b7 ');
}
