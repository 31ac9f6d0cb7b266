// The state of a meter or of a value: a sign, a word and, where it helps, an age.
import type {Meter} from '../api.ts';
import {age} from '../format.ts';
import {stateOf, STATE_MEANING, STATE_WORDS, type MeterState} from '../meter_state.ts';
import {seconds, useNow} from '../now.ts';
import {Icon} from './icon.tsx';

export function StateChip({state}: {state: MeterState}) {
    return (
        <span class={`chip ${state}`} title={STATE_MEANING[state]}>
            <Icon name={state} />{STATE_WORDS[state]}
        </span>
    );
}

export function MeterChip({meter}: {meter: Meter}) {
    return <StateChip state={stateOf(meter)} />;
}

// "12 s ago", counting on.
export function Age({at}: {at: string | null}) {
    const now = useNow();
    const t = seconds(at);
    return <time class="age" dateTime={at ?? undefined}>{age(t === null ? null : now - t)}</time>;
}
