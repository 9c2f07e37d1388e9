/// What a source states besides memory that helps to find the kernel in it. All of it may be wrong.
package struct MemoryClues: Sendable {
  /// The VMCOREINFO text, if the source carries one.
  package var vmcoreinfo: [UInt8]?
  /// The control register CR3 of each processor, with a PFN instead of a machine frame.
  package var pageTables: [UInt64] = []

  /// No clues.
  package init() {}
}
