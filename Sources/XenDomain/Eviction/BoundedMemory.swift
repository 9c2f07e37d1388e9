#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// A guest's memory of which only so much can be read at a time: the guest itself says how much there is to read, and
/// it may be paused meanwhile.
final class BoundedMemory: PhysicalMemory {
  private let memory: any PhysicalMemory
  private let cancellation: Cancellation
  private var left = Int.max

  init(_ memory: any PhysicalMemory, _ cancellation: Cancellation) {
    self.memory = memory
    self.cancellation = cancellation
  }

  var limit: PFN { memory.limit }

  /// From now on four times the pages can be read that hold descriptors of 64 bytes for all of memory, and some more
  /// for the page tables on the way there.
  func limitReading() { left = 256 + Int(clamping: memory.limit / 16) }

  /// From now on as much can be read as is asked for.
  func allowReading() { left = .max }

  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
    -> [Int]
  {
    try cancellation.check()
    guard pfns.count <= left else {
      throw CheckpointError(
        .refused, "the guest's page descriptors refer to more memory than they can take")
    }
    left -= pfns.count
    return try memory.copy(pfns, to: buffer, at: slot)
  }
}
#endif
