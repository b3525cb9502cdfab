/** Something that listens on a port. */
export interface Listener {
  /** The port in use, also when the system chose it. */
  readonly port: number;
  /** Stops listening; resolves when the last connection has ended by itself. */
  close(): Promise<void>;
  /** Ends the connections that are left. */
  closeNow(): void;
}
