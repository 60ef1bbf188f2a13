/**
 * Answering with the picture: while a card waits for a node or an object, whatever is clicked in the picture
 * (or opened with Enter) goes to `take` first. It returns true where the click was meant for the card.
 */
export const picking: { take: ((key: string) => boolean) | null } = { take: null };
