/** How far a build, check or extraction is. */
export interface PackProgress {
  readonly phase: 'walk' | 'pack' | 'check' | 'extract';
  /** While walking, `totalFiles` and `totalBytes` are not known: 0. */
  readonly files: number;
  readonly totalFiles: number;
  /** Bytes gone through: of the app's files when packing and extracting, of the blobs when checking. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Bytes of blocks stored so far; packing only. */
  readonly storedBytes: number;
}

export type OnProgress = (progress: PackProgress) => void;
