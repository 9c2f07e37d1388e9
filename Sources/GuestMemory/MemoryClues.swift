/// What a source says besides memory that helps to find the kernel in it. All of it may be wrong.
public struct MemoryClues: Sendable {
  /// The text of the VMCOREINFO note, where the source carries one.
  public var vmcoreinfo: [UInt8]?
  /// The control register CR3 of each processor, with a PFN in the place of a machine frame.
  public var pageTables: [UInt64] = []
  /// Virtual addresses in the kernel: where processors enter it, and where they are.
  public var kernelAddresses: [UInt64] = []

  /// No clue.
  public init() {}
}
