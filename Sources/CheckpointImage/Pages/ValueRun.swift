/// Pages that follow each other and have one value in common.
package struct ValueRun<Value: Equatable>: Equatable {
  /// The pages.
  package var pages: Range<PFN>
  /// What holds for each of them.
  package var value: Value

  /// A run.
  package init(_ pages: Range<PFN>, _ value: Value) {
    self.pages = pages
    self.value = value
  }

  /// Takes in pages that follow these and have the same value; false if they do not.
  package mutating func join(_ pages: Range<PFN>, _ value: Value) -> Bool {
    guard self.pages.upperBound == pages.lowerBound, self.value == value else { return false }
    self.pages = self.pages.lowerBound..<pages.upperBound
    return true
  }
}

extension ValueRun: Hashable where Value: Hashable {}
extension ValueRun: Sendable where Value: Sendable {}
extension RunJoiner: Sendable where Value: Sendable {}

/// Makes runs of pages that come one after the other.
package struct RunJoiner<Value: Equatable> {
  /// The run that may still grow.
  private var pending: ValueRun<Value>?

  /// No pages.
  package init() {}

  /// Adds pages. Returns the run before them, if they do not belong to it.
  package mutating func add(_ pages: Range<PFN>, _ value: Value) -> ValueRun<Value>? {
    addNext(pages, value)
  }

  /// The last run; what is added afterwards begins another.
  package mutating func end() -> ValueRun<Value>? { pending.take() }

  @inline(__always)
  private mutating func addNext(_ pages: Range<PFN>, _ value: Value) -> ValueRun<Value>? {
    if pending?.join(pages, value) ?? false { return nil }
    let run = pending
    pending = ValueRun(pages, value)
    return run
  }
}

// Not generic, for what is called for every page: see `[Range<PFN>].join`.

extension RunJoiner where Value == PageStatus {
  /// Adds pages. Returns the run before them, if they do not belong to it.
  package mutating func add(_ pages: Range<PFN>, _ status: PageStatus) -> StateExtent? {
    addNext(pages, status).map(StateExtent.init)
  }

  /// The last run; what is added afterwards begins another.
  package mutating func end() -> StateExtent? { pending.take().map(StateExtent.init) }
}

extension RunJoiner where Value == PageChange {
  /// Adds a page. Returns the run before it, if it does not belong to it.
  package mutating func add(_ pfn: PFN, _ change: PageChange) -> ValueRun<PageChange>? {
    addNext(pfn..<pfn + 1, change)
  }
}

extension [StateExtent] {
  /// Adds a page behind those that are there.
  package mutating func add(_ pfn: PFN, _ status: PageStatus) {
    if var run = last.map({ ValueRun($0.pages, $0.status) }), run.join(pfn..<pfn + 1, status) {
      self[count - 1] = StateExtent(run)
    } else {
      append(StateExtent(pfn: pfn, count: 1, status: status))
    }
  }
}
