// One of a few: radio buttons that look like one control; arrow keys move in it as in any radio group.
import {useId} from 'preact/hooks';

interface Props<T extends string> {
    label: string;
    options: readonly (readonly [T, string])[];
    value: T;
    set: (value: T) => void;
}

export function Segments<T extends string>({label, options, value, set}: Props<T>) {
    const name = useId();
    return (
        <fieldset class="segments">
            <legend class="hidden">{label}</legend>
            {options.map(([key, text]) => (
                <label key={key} class={key === value ? 'on' : ''}>
                    <input type="radio" name={name} value={key} checked={key === value} onChange={() => set(key)} />
                    <span>{text}</span>
                </label>
            ))}
        </fieldset>
    );
}
