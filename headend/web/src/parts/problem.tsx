// Something could not be had: the sentence, and a way to try again.
import {Icon} from './icon.tsx';

export function Problem({text, again}: {text: string; again?: (() => void) | undefined}) {
    return (
        <div class="problem" role="alert">
            <Icon name="failing" />
            <p>{text}</p>
            {again && <button type="button" class="button" onClick={again}>Try again</button>}
        </div>
    );
}

// Grey bars of the size of what will stand there.
export function Skeleton({rows, height}: {rows?: number; height?: number}) {
    if (height) return <div class="skeleton block" style={{height: `${height}px`}} aria-hidden="true" />;
    return (
        <div aria-hidden="true">
            {Array.from({length: rows ?? 3}, (_, i) => <div key={i} class="skeleton line" />)}
        </div>
    );
}
