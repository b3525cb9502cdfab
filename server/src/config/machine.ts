/** What the defaults of some options depend on. */
export interface Machine {
  readonly cores: number;
  /** Of the container when it has a limit, else of the machine. */
  readonly memoryBytes: number;
  /** In a pod of Kubernetes. */
  readonly inPod?: boolean;
}
