package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Plain memory in any storage: byte n of the storage is byte n of the guest's physical memory.
package final class StoredMemory: DescribedSource {
  package var name: String { storage.name }
  package let facts = SourceFacts(
    kind: "raw memory", architecture: .unspecified, ascendingUnique: true)
  /// None: raw memory has no layout.
  package let layoutKind: LayoutKind? = LayoutKind.none

  private let storage: any RangeReader
  private let buffers = PageBufferPool()
  private var position: PFN = 0
  private let end: PFN
  private var leftOut = EvictionPlan()

  package var fractionDone: Double? { end == 0 ? nil : Double(position) / Double(end) }

  /// The memory, which any storage can read in any order.
  package var sourceMemory: SourceMemory? {
    let extent = MemoryExtent(address: 0, offset: 0, length: storage.length)
    return SourceMemory(
      memory: ExtentMemory(StoredBytes(storage), [extent]), records: []
    ) { self.leftOut = $0 }
  }

  /// Reads `storage` as memory.
  ///
  /// - Throws: `.refused` if its length is not a multiple of the page size.
  package init(_ storage: any RangeReader) throws(CheckpointError) {
    self.storage = storage
    guard storage.length % UInt64(Limits.pageSize) == 0 else {
      throw CheckpointError(
        .refused,
        "\(storage.length) bytes are not a whole number of pages: it was cut off, or is not plain memory",
        file: storage.name)
    }
    end = storage.length / UInt64(Limits.pageSize)
  }

  /// The next up to 256 pages.
  package func next() throws(CheckpointError) -> SourceEvent? {
    guard position < end else { return nil }
    let buffer = buffers.buffer()
    let pages = position..<min(end, position + UInt64(buffer.pageCount))
    let bytes = StoredBytes(storage)
    for part in leftOut.runs(of: pages) where part.reason == .none {
      let slots = Int(part.pages.lowerBound - position)..<Int(part.pages.upperBound - position)
      _ = try bytes.readPages(
        slots, of: buffer, at: part.pages.lowerBound * UInt64(Limits.pageSize))
    }
    position = pages.upperBound
    return .pages(PageBatch(buffer: buffer, pages: pages.map { PageBatch.Page(pfn: $0) }))
  }
}

/// The bytes of a memory image in any storage.
private final class StoredBytes: DumpBytes {
  let cut: CheckpointError? = nil
  private let storage: any RangeReader

  init(_ storage: any RangeReader) { self.storage = storage }

  func readPages(_ pages: Range<Int>, of buffer: PageBuffer, at offset: UInt64)
    throws(CheckpointError) -> Int
  {
    let bytes = try storage.slice(at: offset, count: pages.count * Limits.pageSize)
    // SAFETY: the bytes are copied before the closure returns.
    unsafe bytes.withUnsafeBytes { unsafe buffer.copy($0, to: pages.lowerBound) }
    return pages.count
  }

  func readBytes(at offset: UInt64, count: Int) throws(CheckpointError) -> [UInt8]? {
    try storage.bytes(at: offset, count: count)
  }
}
