#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory

/// What a running guest uses each of its pages for, by its own page descriptors as they were last read.
protocol PageClassifier: AnyObject {
  /// The version of the guest's kernel.
  var release: String { get }
  /// The class of a page; `unknown` where there is no descriptor.
  subscript(pfn: PFN) -> PageClass { get }
  /// Reads again the descriptors that were written to.
  ///
  /// - Returns: ranges that hold all pages whose class changed.
  func update(written: (PFN) -> Bool) throws(CheckpointError) -> [Range<PFN>]
}

extension PageClasses: PageClassifier {
  var release: String { guest.information.release }

  /// Finds the kernel of a Linux guest by its processors, and reads what it uses its pages for.
  static func read(from memory: any PhysicalMemory, processors: [MachineRecord])
    throws(CheckpointError) -> PageClasses
  {
    let classes = try PageClasses(of: LinuxGuest.find(in: memory, MemoryClues(processors)))
    guard try !classes.poisonedFreePages else {
      throw CheckpointError(
        .refused,
        "the guest would miss the pattern that its kernel fills free pages with (page_poison)")
    }
    return classes
  }
}
#endif
