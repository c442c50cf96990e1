/** Text that somebody else wrote, as one field of a line: no break, no tab, nothing that steers a terminal. */
export const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
