// Small choices kept in this browser. A browser that keeps nothing gets the defaults each time.

export function recall<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    try {
        const kept = localStorage.getItem(`ferraris.${name}`);
        return allowed.find((a) => a === kept) ?? fallback;
    } catch {
        return fallback;
    }
}

export function remember(name: string, value: string): void {
    try {
        localStorage.setItem(`ferraris.${name}`, value);
    } catch {
        // storage is switched off: the choice lasts as long as the page
    }
}
