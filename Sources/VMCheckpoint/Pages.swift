internal import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
internal import Storage

/// One page of a guest's memory.
public struct Page: Hashable, Sendable {
  /// The page frame number: the guest's physical address divided by 4096.
  public var number: UInt64
  /// What is known of the page (Spec, "Page states and types").
  public var state: PageState
  /// Why it was not saved; `none` unless it is evicted.
  public var evictionReason: EvictionReason
  /// The SHA-256 of the contents; nil unless the state is data.
  public var digest: Digest?

  init(_ number: PFN, _ entry: PageEntry) {
    self.number = number
    state = entry.status.state
    evictionReason = entry.status.reason
    digest = entry.status.state == .data ? entry.digest : nil
  }
}

extension Checkpoint {
  /// A page and its 4096 bytes; zeros unless the state is data.
  ///
  /// - Throws: `.damaged` if the contents are not those that were captured.
  public func page(_ number: UInt64) throws(CheckpointError) -> (page: Page, contents: [UInt8]) {
    var found: (page: Page, contents: [UInt8])?
    try read(number..<number + 1) { page, bytes in
      found = (page, unsafe bytes.withUnsafeBytes { unsafe Array($0) })
    }
    guard let found else {
      throw CheckpointError(.refused, "PFN \(number) is beyond 2^52", file: facts.images[0].name)
    }
    return found
  }

  /// Reads pages in ascending order, populated or not, and gives each with its 4096 bytes to `body`. A page whose
  /// state is not data is given as zeros.
  ///
  /// - Parameters:
  ///   - numbers: PFNs below 2^52.
  ///   - body: gets a page and its contents, which are valid until it returns.
  /// - Throws: `.damaged` if contents are not those that were captured; `.interrupted` after a cancellation.
  public func read(
    _ numbers: Range<UInt64>, _ body: (Page, RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let reader = PageReader(chain)
    let end = min(numbers.upperBound, Limits.pfnEnd)
    var first = numbers.lowerBound
    while first < end {
      try chain.cancellation.check()
      let last = min(end, first + UInt64(PageBuffer.capacity))
      let batch = try reader.read([first..<last])
      for (slot, page) in batch.pages.enumerated() {
        var entry = PageEntry(page.status)
        entry.digest = page.digest
        try body(Page(page.pfn, entry), batch.buffer.page(slot))
      }
      first = last
    }
  }

  /// Gives runs of pages that have the same state and eviction reason to `body`, ascending, without unpopulated pages.
  /// No contents are read.
  public func forEachRun(
    _ body: (Range<UInt64>, PageState, EvictionReason) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    // The runs are gathered first: what goes through them keeps the closure that it is given.
    var runs: [(Range<UInt64>, PageStatus)] = []
    try StatusRuns.forEach(of: chain) { run, status in runs.append((run, status)) }
    for (run, status) in runs { try body(run, status.state, status.reason) }
  }
}
