/**
 * How much a test of chance or of every moment tries: `npm test` a part, `npm run soak` all of it. Soak runs the files that import this.
 * `LONG` is the rounds of the longest ones (1000), or null in `npm test`.
 */
export const LONG = process.env.CONVEYOR_SOAK === undefined ? null : Number(process.env.CONVEYOR_SOAK);
