public import CheckpointCodec
public import CheckpointImage

/// Plain memory: byte n of the input is byte n of the guest's physical memory.
public final class RawSource: DescribedSource {
  /// The name used in messages.
  public var name: String { input.name }
  /// What the source is.
  public let facts = SourceFacts(
    kind: "raw memory", architecture: .unspecified, ascendingUnique: true, fields: [])
  /// Raw memory has no layout to be kept.
  public let layoutKind: LayoutKind? = LayoutKind.none

  /// The memory in any order, if the input is a file.
  public let memory: (any PhysicalMemory)?

  private let input: InputStream
  private var pfn: PFN = 0
  private var leftOut = EvictionPlan()

  /// How much of the input was read.
  public var fractionDone: Double? { input.fractionDone }

  /// Reads `input` as memory.
  public init(_ input: InputStream) throws(CheckpointError) {
    self.input = input
    memory = try input.file().map { file in
      ExtentMemory(file, [MemoryExtent(address: 0, offset: 0, length: file.length)])
    }
  }

  /// Passes over what is left out.
  public func leaveOut(_ plan: EvictionPlan) { leftOut = plan }

  /// The next pages.
  public func next() throws(CheckpointError) -> CheckpointEvent? {
    let buffer = PageBuffer()
    var count = 0
    for run in leftOut.runs(of: pfn..<pfn + UInt64(buffer.pageCount)) {
      let slots = count..<count + run.pages.count
      let done = try input.readPages(slots, of: buffer, wanted: run.reason == .none)
      count += done
      guard done == slots.count else { break }
    }
    guard count > 0 else { return nil }
    let pages = (pfn..<pfn + UInt64(count)).map { PageBatch.Page(pfn: $0) }
    pfn += UInt64(count)
    return .pages(PageBatch(buffer: buffer, pages: pages))
  }
}
