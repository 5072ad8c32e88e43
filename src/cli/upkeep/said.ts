import { BackupRefused } from '../../runtime/backup.ts';
import type { ExitCode, Io } from '../command.ts';
import { Unreachable } from './reach.ts';

/** What cannot be done is said in one line, and is exit code 1. */
export async function said(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof BackupRefused)) throw error;
    io.err(error.message);
    return 1;
  }
}
