export { type ErrorCode, SluiceError } from '../format/errors.ts';
export { remedies } from '../format/remedies.ts';
export type { BlockSource, Chunk, PublishedFile, RangeRequest } from '../protocol/block-source.ts';
export type { FsmapFlag, FsmapKey, FsmapOwner, FsmapRow } from '../protocol/fsmap.ts';
export type { LaunchMetrics } from '../protocol/launch-metrics.ts';
export type {
  BadBlock,
  ByteRange,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
export type { ReleaseRecord } from '../protocol/messages.ts';
export type {
  LoaderInfo,
  MappingCounts,
  NewRelease,
  PendingReadInfo,
  Progress,
  ReadErrorInfo,
  ReadLog,
  ReadLogEntry,
  SluiceState,
} from '../protocol/state.ts';
export type { Dir } from './dir.ts';
export type { ReadOptions } from './file-bytes.ts';
export type { FileHandle, HandleReadOptions, HandleReadResult } from './file-handle.ts';
export type { FsmapRange } from './fsmap-rows.ts';
export type { ImageEvents } from './image-events.ts';
export type { LiveImage } from './live-image.ts';
export { mount } from './mount.ts';
export type { MountOptions } from './mount-options.ts';
export type { MountedImage, ReaddirOptions } from './mounted-image.ts';
export type { CreateFileOptions, FileContent, NewFileOptions } from './new-file.ts';
export type { PendingReadsOptions } from './pending-snapshots.ts';
export type { ReadFileOptions } from './read-file.ts';
export type { ReadStreamOptions } from './read-stream.ts';
export type { Sluice } from './sluice.ts';
export type { Dirent, Stats } from './stats.ts';
