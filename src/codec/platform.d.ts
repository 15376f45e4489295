/** A universal global that the ES library's types leave out. */
declare function atob(text: string): string;
