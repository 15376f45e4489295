/** An app directory as it was found: links followed, everything in the order of names as bytes. */
export interface Tree {
  readonly root: TreeDirectory;
  /** Every file, depth first. */
  readonly files: readonly TreeFile[];
  /** Without the root. */
  readonly directoryCount: number;
}

export interface TreeDirectory {
  readonly kind: 'directory';
  readonly name: string;
  readonly entries: readonly (TreeFile | TreeDirectory)[];
}

export interface TreeFile {
  readonly kind: 'file';
  readonly name: string;
  /** From the app's root, with slashes, names as they are on disk. */
  readonly path: string;
  /** Where to open it. */
  readonly source: string;
  /** Bytes, when the tree was walked. */
  readonly size: number;
}
