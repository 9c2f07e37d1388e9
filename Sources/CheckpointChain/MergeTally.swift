internal import Synchronization

/// Counts what the workers did with regions.
final class MergeTally: Sendable {
  private let copied = Atomic<Int>(0)
  private let repacked = Atomic<Int>(0)

  func add(copied isCopied: Bool) {
    if isCopied {
      copied.add(1, ordering: .relaxed)
    } else {
      repacked.add(1, ordering: .relaxed)
    }
  }

  var counts: MergeSource.Counts {
    MergeSource.Counts(
      copied: copied.load(ordering: .relaxed), repacked: repacked.load(ordering: .relaxed))
  }
}
