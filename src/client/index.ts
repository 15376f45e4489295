export { type ErrorCode, SluiceError } from '../format/errors.ts';
export type {
  LoaderInfo,
  PendingReadInfo,
  Progress,
  ReadLog,
  ReadLogEntry,
  SluiceState,
} from '../protocol/state.ts';
export { mount } from './mount.ts';
export type { MountedImage, MountOptions, ReadFileOptions, ReadStreamOptions } from './mounted-image.ts';
export type { Sluice } from './sluice.ts';
export type { Dirent, Stats } from './stats.ts';
