// A button with a small panel below it. Escape and a click elsewhere close it.
import type {ComponentChildren} from 'preact';
import {useEffect, useId, useRef, useState} from 'preact/hooks';

interface Props {
    label: string; // for readers by ear, with what the button shows
    face: ComponentChildren;
    className?: string;
    children: (close: () => void) => ComponentChildren;
}

export function Menu({label, face, className, children}: Props) {
    const [open, set] = useState(false);
    const root = useRef<HTMLDivElement>(null);
    const button = useRef<HTMLButtonElement>(null);
    const id = useId();
    useEffect(() => {
        if (!open) return;
        const outside = (e: Event): void => {
            if (!root.current?.contains(e.target as Node)) set(false);
        };
        const key = (e: KeyboardEvent): void => {
            if (e.key !== 'Escape') return;
            set(false);
            button.current?.focus();
        };
        document.addEventListener('pointerdown', outside);
        document.addEventListener('focusin', outside);
        document.addEventListener('keydown', key);
        return () => {
            document.removeEventListener('pointerdown', outside);
            document.removeEventListener('focusin', outside);
            document.removeEventListener('keydown', key);
        };
    }, [open]);
    return (
        <div class="menu" ref={root}>
            <button type="button" ref={button} class={className ?? 'head-button'} aria-label={label} aria-expanded={open}
                aria-controls={open ? id : undefined} onClick={() => set(!open)}>
                {face}
            </button>
            {open && <div class="menu-panel" id={id}>{children(() => set(false))}</div>}
        </div>
    );
}
