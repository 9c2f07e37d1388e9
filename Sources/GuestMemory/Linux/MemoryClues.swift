/// What a source says besides memory that helps to find the kernel in it. All of it may be wrong.
package struct MemoryClues: Sendable {
  /// The text of the VMCOREINFO note, where the source carries one.
  package var vmcoreinfo: [UInt8]?
  /// The control register CR3 of each processor, with a PFN in the place of a machine frame.
  package var pageTables: [UInt64] = []

  /// No clue.
  package init() {}
}
