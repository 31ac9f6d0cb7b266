// A labelled field: the label, the control, a hint, and what the head-end found wrong with it.
import type {ComponentChildren, JSX} from 'preact';
import {useId} from 'preact/hooks';

interface Props {
    label: string;
    hint?: string;
    error?: string | undefined;
    children: (props: {id: string; 'aria-describedby'?: string; 'aria-invalid'?: true}) => JSX.Element;
    className?: string;
}

export function Field({label, hint, error, children, className}: Props) {
    const id = useId();
    const note = `${id}-note`;
    const text = error ?? hint;
    return (
        <div class={`field ${className ?? ''}`}>
            <label for={id}>{label}</label>
            {children({id, ...(text ? {'aria-describedby': note} : {}), ...(error ? {'aria-invalid': true as const} : {})})}
            {text && <p id={note} class={error ? 'bad-text note' : 'note'}>{text}</p>}
        </div>
    );
}

export function FormError({text}: {text: string | null}): ComponentChildren {
    return <div role="alert">{text && <p class="form-error">{text}</p>}</div>;
}
