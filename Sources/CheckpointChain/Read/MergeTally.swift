internal import Synchronization

/// Counts what the workers did with regions.
package final class MergeTally: Sendable {
  /// What became of the regions.
  package struct Counts: Sendable {
    /// Handed on without being expanded.
    package var copied = 0
    /// Expanded, because too few of their pages live or they are to be compressed anew.
    package var repacked = 0
  }

  private let copied = Atomic<Int>(0)
  private let repacked = Atomic<Int>(0)

  func add(copied isCopied: Bool) {
    if isCopied {
      copied.add(1, ordering: .relaxed)
    } else {
      repacked.add(1, ordering: .relaxed)
    }
  }

  var counts: Counts {
    Counts(
      copied: copied.load(ordering: .relaxed), repacked: repacked.load(ordering: .relaxed))
  }
}
