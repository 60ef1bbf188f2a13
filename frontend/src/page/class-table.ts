export function wireClassTable(_: HTMLElement): void {}
