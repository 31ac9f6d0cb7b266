// Short words after an action: "Reading asked for." They go by themselves and are read aloud.
import {useEffect, useState} from 'preact/hooks';

interface Notice {
    id: number;
    text: string;
    bad: boolean;
}

const SHOWN_MS = 6000;
let list: Notice[] = [];
let last = 0;
const watchers = new Set<() => void>();

function change(next: Notice[]): void {
    list = next;
    watchers.forEach((w) => w());
}

export function notify(text: string, bad = false): void {
    const id = ++last;
    change([...list.slice(-2), {id, text, bad}]);
    setTimeout(() => change(list.filter((n) => n.id !== id)), SHOWN_MS);
}

export function Notices() {
    const [, again] = useState(0);
    useEffect(() => {
        const w = (): void => again((n) => n + 1);
        watchers.add(w);
        return () => void watchers.delete(w);
    }, []);
    return (
        <div class="notices" role="status" aria-live="polite">
            {list.map((n) => <p key={n.id} class={n.bad ? 'notice bad' : 'notice'}>{n.text}</p>)}
        </div>
    );
}
