// A question in front of the page. The browser's own dialog keeps the focus inside and closes on
// Escape.
import type {ComponentChildren} from 'preact';
import {useEffect, useId, useRef} from 'preact/hooks';
import {Icon} from './icon.tsx';

export function Dialog({title, close, wide, children}: {title: string; close: () => void; wide?: boolean; children: ComponentChildren}) {
    const box = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement as HTMLElement | null;
        box.current?.showModal();
        return () => before?.focus();
    }, []);
    return (
        <dialog ref={box} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby={id} onClose={close}>
            <header class="dialog-head">
                <h2 id={id}>{title}</h2>
                <button type="button" class="button plain square" aria-label="Close" onClick={() => box.current?.close()}><Icon name="close" /></button>
            </header>
            <div class="dialog-body">{children}</div>
        </dialog>
    );
}
