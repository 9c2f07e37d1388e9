#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory
internal import Operations

/// The page descriptors of a Linux guest, for as long as the kernel runs that they belong to.
final class LinuxClassifier: PageClassifier {
  private let classes: PageClasses
  private let processors: () throws(CheckpointError) -> [MachineRecord]

  /// Finds the kernel by the guest's processors, and reads what it uses its pages for.
  ///
  /// - Parameter processors: gives their records as they are now.
  init(
    in memory: any PhysicalMemory,
    processors: @escaping () throws(CheckpointError) -> [MachineRecord]
  ) throws(CheckpointError) {
    self.processors = processors
    classes = try PageClasses(of: LinuxGuest.find(in: memory, MemoryClues(processors())))
    guard try !classes.poisonedFreePages else {
      throw CheckpointError(
        .refused,
        "the guest would miss the pattern that its kernel fills free pages with (page_poison)")
    }
  }

  var release: String { classes.guest.information.release }

  subscript(pfn: PFN) -> PageClass { classes[pfn] }

  func update(written: (PFN) -> Bool) throws(CheckpointError) -> [Range<PFN>] {
    // What an earlier kernel left behind still looks like page descriptors.
    guard try classes.guest.isRunning(on: MemoryClues(processors())) else {
      throw CheckpointError(.refused, "another kernel was started in the guest (kexec)")
    }
    return try classes.update(written: written)
  }
}
#endif
