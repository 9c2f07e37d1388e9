// What is called for every page is inlinable: other modules would not specialise it, nor know that it does not access
// the property that it changes, and so check each access.

/// Pages that follow each other and have one value in common.
package struct ValueRun<Value: Equatable>: Equatable {
  /// The pages.
  package var pages: Range<PFN>
  /// What holds for each of them.
  package var value: Value

  /// A run.
  @inlinable
  package init(_ pages: Range<PFN>, _ value: Value) {
    self.pages = pages
    self.value = value
  }

  /// Takes in pages that follow these and have the same value; false if they do not.
  @inlinable
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
  @usableFromInline
  var pending: ValueRun<Value>?

  /// No pages.
  @inlinable
  package init() {}

  /// Adds pages. Returns the run before them, if they do not belong to it.
  @inlinable
  package mutating func add(_ pages: Range<PFN>, _ value: Value) -> ValueRun<Value>? {
    if pending?.join(pages, value) ?? false { return nil }
    let run = pending
    pending = ValueRun(pages, value)
    return run
  }

  /// The last run; what is added afterwards begins another.
  package mutating func end() -> ValueRun<Value>? { pending.take() }
}

extension RunJoiner where Value == PageStatus {
  /// Adds pages. Returns the run before them, if they do not belong to it.
  @inlinable
  package mutating func add(_ pages: Range<PFN>, _ status: PageStatus) -> StateExtent? {
    (add(pages, status) as ValueRun<PageStatus>?).map(StateExtent.init)
  }

  /// The last run; what is added afterwards begins another.
  package mutating func end() -> StateExtent? { pending.take().map(StateExtent.init) }
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
