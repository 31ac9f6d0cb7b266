// One word for the state of a meter, and the sentence behind it.
import type {Meter} from './api.ts';
import {whole} from './format.ts';

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

export function stateOf(m: Meter): MeterState {
    if (!m.enabled || m.activity === 'disabled') return 'disabled';
    if (m.n_failed > 0) return 'failing';
    return m.quality;
}

// Values of such a meter may not be those of now.
export const isOld = (m: Meter): boolean => m.quality !== 'fresh' || !m.enabled;

export function activityText(m: Meter): string | null {
    if (m.activity === 'connecting') return 'Connecting';
    if (m.activity !== 'reading') return null;
    return m.rows_expected > 0 ? `Row ${whole(m.rows_done)} of ${whole(m.rows_expected)}` : 'Reading';
}

// What the meter calls itself, for searching and sorting.
export function deviceText(m: Meter): string {
    return [m.device_name, m.serial && m.serial !== m.device_name ? m.serial : ''].filter(Boolean).join(' \u00b7 ');
}
